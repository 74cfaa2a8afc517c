"""Shim: a function that the back end traces once and calls many times."""

import keras

if keras.backend.backend() == "tensorflow":
  import tensorflow as tf

  def traced_once(function):
    """Compiles a pure function of tensors, so that further calls do not trace it again."""
    return tf.function(function, autograph=False, experimental_attributes=({"_noinline": True} if __import__("os").environ.get("NOINLINE") else None))

elif keras.backend.backend() == "jax":
  import jax

  traced_once = jax.jit

else:

  def traced_once(function):
    """Returns the function: this back end traces nothing."""
    return function
