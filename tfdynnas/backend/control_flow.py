"""Shim: control flow in the form that the backend traces, compiles and runs fastest."""

import keras
from keras import ops

if keras.backend.backend() == "tensorflow":
  import tensorflow as tf

  def traced_once(function):
    """Compiles a pure function of tensors, so that further calls do not trace it again.

    Nor does TensorFlow copy it to each call, for a faster start: at the paper's size a first step
    takes 5.6 s, not 9.8 (`tools/benchmark.py --part=first`), and steps 1.05 times as long.
    """
    return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})

  def in_turn(function, value, items):
    """Calls function(value, item) -> value for each item in turn; items have the same shape."""
    for item in items:
      value = function(value, item)
    return value

  switch = ops.switch

elif keras.backend.backend() == "jax":
  import jax
  from jax import numpy as jnp

  traced_once = jax.jit

  def in_turn(function, value, items):
    """As above, compiled once for all items; with several, the value must keep its shape."""
    if len(items) == 1:
      return function(value, items[0])
    stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *items)
    return jax.lax.scan(lambda value, item: (function(value, item), None), value, stacked)[0]

  def switch(index, branches, *operands):
    """`keras.ops.switch` whose backward pass keeps the operands alone.

    JAX's own keeps the intermediate values of every branch, zeros for the branches not taken.
    """

    @jax.custom_vjp
    def run(index, *operands):
      return jax.lax.switch(index, branches, *operands)

    def forward(index, *operands):
      return run(index, *operands), (index, operands)

    def backward(kept, gradient):
      index, operands = kept
      pulls = [lambda g, *o, b=branch: jax.vjp(b, *o)[1](g) for branch in branches]
      return (None, *jax.lax.switch(index, pulls, gradient, *operands))

    run.defvjp(forward, backward)
    return run(index, *operands)

else:

  def traced_once(function):
    """Returns the function: this backend traces nothing."""
    return function

  def in_turn(function, value, items):
    """As above."""
    for item in items:
      value = function(value, item)
    return value

  switch = ops.switch
