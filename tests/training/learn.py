"""Prints the accuracy of sampled subnets in steps 101 to 200: `python -m tests.training.learn SETS`

A process of its own: the supernet of 21 layers holds two gigabytes while it is traced.
"""

import sys

import keras

import tfdynnas as nas
from tfdynnas.backend import current

STEPS = 700  # Of the schedule; the first 200 are run.


def main(sets):
  """Trains one path a step on CIFAR-10 at 16x16, with shared choices and branches from zero."""
  current.shorten_first_step()
  data = nas.data.load("cifar10", data_dir=sets, downsample=2)
  space = nas.spaces.mobilenet(width=0.25, small=True, image_size=16, classes=10)
  supernet = nas.Supernet(space, seed=0, sharing="shared", branch_scale="zero")
  optimizer = nas.MS(nas.CaLR(0.05, STEPS, *space.bounds("complexity")), off_path="frozen")
  supernet.compile(optimizer, method=nas.SinglePath(), metrics=["accuracy"])
  seen = []
  each = keras.callbacks.LambdaCallback(
      on_train_batch_end=lambda step, logs: seen.append(float(logs["accuracy"])))
  supernet.fit(data.batches("train", 64).take(200), callbacks=[each], verbose=0)
  print(2 * seen[199] - seen[99])  # Keras shows the mean of all steps so far.


if __name__ == "__main__":
  main(*sys.argv[1:])
