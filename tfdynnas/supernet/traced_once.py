"""Shim: a function that the back end traces once and calls many times."""

import keras

if keras.backend.backend() == "tensorflow":
  import tensorflow as tf

  def traced_once(function):
    """Compiles a pure function of tensors, so that further calls do not trace it again."""
    return tf.function(function, autograph=False)

elif keras.backend.backend() == "jax":
  import jax

  traced_once = jax.jit

else:

  def traced_once(function):
    """Returns the function: this back end traces nothing."""
    return function
