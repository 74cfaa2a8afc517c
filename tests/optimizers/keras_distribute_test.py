"""MS by hand in a MirroredStrategy of two devices, as Keras' own tests have its optimizers."""

import os
import pathlib
import subprocess
import sys

STEPS = """
import keras
import numpy as np
import tensorflow as tf
from tfdynnas import optimizers
from tfdynnas.backend import current

strategy = current.make_strategy("mirrored", ["CPU:0", "CPU:1"])


def plain(rate=1.0, **settings):
  own = {"momentum": 0.0, "nesterov": False, "l2": 0.0, "max_norm": None, "groups": 1,
         **settings}
  return optimizers.MS(rate, **own)


def step(optimizer, variables, *gradients):
  strategy.run(lambda: optimizer.apply_gradients(
      [(tf.constant(g, tf.float32), v) for g, v in zip(gradients, variables)]))


def close(variable, value):
  value_of = variable.value if isinstance(variable, keras.Variable) else variable
  found = strategy.experimental_local_results(value_of)
  assert len(found) == 2
  for one in found:
    np.testing.assert_allclose(one.numpy(), value, atol=1e-5)


with strategy.scope():
  made, own = plain(0.5, momentum=0.5, groups=2), tf.Variable([1.0, 2.0, 3.0, 4.0])
  assert optimizers.MS.from_config(made.get_config()).get_config() == made.get_config()
  made.build([own])
  for group, weight in ((1, [0, -4, -4, 2]), (0, [-1, -10, -11, 0]), (1, [-2.5, -19, -21.5, -3])):
    made.tell(group)
    step(made, [own], [1.0, 6.0, 7.0, 2.0])  # Each device's; they are summed.
    close(own, weight)
  close(made.slots[0], [[2, 12, 14, 4], [3, 18, 21, 6]])
  close(made.iterations, 3)
  print("groups")

  clipped, weight = plain(max_norm=1.0), keras.Variable([0.0, 0.0])
  clipped.build([weight])

  def differing():
    first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
    clipped.apply_gradients([(tf.where(first, [3.0, 0.0], [0.0, 4.0]), weight)])

  strategy.run(differing)
  close(weight, [-0.6, -0.8])  # The norm of the sum is 5.
  print("clipping")

  decayed, pair = plain(l2=0.25), [keras.Variable(2.0), keras.Variable(3.0, name="excluded")]
  decayed.exclude_from_weight_decay(var_names=["excluded"])
  decayed.build(pair)
  step(decayed, pair, 0.0, 0.0)
  close(pair[0], 1.5)
  close(pair[1], 3.0)
  print("l2")

  averaged = plain(use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3)
  weight = keras.Variable([[3.0, 4.0]])
  averaged.build([weight])
  for value in ([[2, 3]], [[1, 2]], [[1.71, 2.71]]):
    step(averaged, [weight], [[0.5, 0.5]])
    close(weight, value)
  print("average")

  summed, weight = plain(gradient_accumulation_steps=3), keras.Variable([1.0, 2.0])
  summed.build([weight])
  for value in ([1, 2], [1, 2], [-1, -2]):
    step(summed, [weight], [1.0, 2.0])
    close(weight, value)
  assert int(keras.ops.convert_to_numpy(summed.iterations)) == 1  # Not a variable here.
  print("accumulation")
"""


def test_steps_on_two_devices_are_those_of_the_sum_of_their_gradients():
  root = pathlib.Path(__file__).parents[2]
  done = subprocess.run(
      [sys.executable, "-c", STEPS], env={**os.environ, "PYTHONPATH": str(root)},
      capture_output=True, text=True, check=False,
  )
  assert done.returncode == 0, done.stderr[-2000:]
  assert done.stdout.split() == ["groups", "clipping", "l2", "average", "accumulation"]
