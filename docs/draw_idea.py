"""Draws docs/idea.png from the package's own functions: python docs/draw_idea.py"""

import pathlib

import matplotlib
import numpy as np
from keras import ops

import tfdynnas as nas

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

SPACE = nas.spaces.nasbench201()
STEPS, RATE, SPLIT = 1000, 0.025, 3
SUBNETS = {
    "smallest": SPACE.smallest(), "in the middle": (3, 1, 2, 0, 3, 1), "largest": SPACE.largest(),
}


def draw_calr(axes):
  """Learning rate over the training, for three subnets."""
  schedule = nas.CaLR(RATE, STEPS, *SPACE.bounds("complexity"))
  steps = np.arange(0, STEPS + 1, 10)
  for name, arch in SUBNETS.items():
    cost = SPACE.cost(arch, "complexity")
    rates = [float(ops.convert_to_numpy(schedule.rate(int(step), cost))) for step in steps]
    axes.plot(steps / STEPS, rates, label=f"{name}, C = {cost:,.0f}")
  axes.set(xlabel="share of the training", ylabel="learning rate", ylim=(0, 0.035))
  axes.set_title("CaLR: a learning rate for each complexity", fontsize=10)
  axes.legend(frameon=False, fontsize=8)


def draw_ms(axes):
  """Which momentum buffer each of twelve steps reads and writes."""
  choices = SPACE.decisions[SPLIT].choices
  method = nas.SinglePath(SPACE, split_decision=SPLIT, seed=4)
  archs = [ops.convert_to_numpy(method.sampler(step))[0] for step in range(12)]
  groups = [int(ops.convert_to_numpy(method.group(arch))) for arch in archs]
  grid = np.zeros([len(choices), len(groups)])
  grid[groups, range(len(groups))] = np.arange(len(groups)) + 4
  axes.imshow(grid, cmap="Blues", aspect="auto", vmax=20)
  axes.set_xlabel("step")
  edge = SPACE.decisions[SPLIT].name
  axes.set_title(f"MS: a momentum buffer for each choice at edge {edge}", fontsize=10)
  axes.set_yticks(range(len(choices)), choices, fontsize=8)
  axes.set_xticks(range(0, len(groups), 2))


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
draw_calr(left)
draw_ms(right)
figure.savefig(pathlib.Path(__file__).with_name("idea.png"), dpi=110)
