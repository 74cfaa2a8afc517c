"""What a probe looks at: its archs, their rates, and the numbers of one look."""

import collections

import keras
import numpy as np
import pytest

from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.training.probes import probe

SPACE = spaces.nasbench201(channels=2, cells=1, image_size=8)


def test_each_class_is_a_quarter_of_the_space_by_complexity():
  archs, classes = probe.sample(SPACE, 40, seed=3)
  assert len(set(archs)) == 40 and collections.Counter(classes) == {k: 10 for k in range(4)}
  costs = [SPACE.cost(arch, "complexity") for arch in archs]
  of_class = [{c for c, own in zip(costs, classes) if own == k} for k in range(4)]
  assert all(max(low) < min(high) for low, high in zip(of_class, of_class[1:]))
  every = np.array([SPACE.cost(SPACE.arch(i), "complexity") for i in range(SPACE.size)])
  # Levels are coarse: the 1st quarter ends within a level or two of the 25 % quantile.
  assert 0.2 < np.mean(every <= max(of_class[0])) < 0.35
  assert (archs, classes) == probe.sample(SPACE, 40, seed=3) != probe.sample(SPACE, 40, seed=4)


def test_small_spaces_give_what_they_have():
  space = spaces.cell_space(
      "two", [spaces.Operation("skip", "identity"), spaces.Operation("conv", "conv", 3)], nodes=2)
  assert probe.sample(space, 40, seed=0) == ([(0,), (1,)], [0, 2])  # Half, and half.


def _model(schedule, groups=5):
  model = supernet_lib.Supernet(SPACE, seed=1)
  model.compile(
      optimizers.MS(schedule, groups=groups), method=methods.SinglePath(SPACE, split_decision=2))
  model.optimizer.build(model.trainable_variables)
  return model


def test_groups_have_three_archs_each():
  archs, groups = probe.of_groups(SPACE, methods.SinglePath(SPACE, split_decision=2), seed=0)
  assert groups == [arch[2] for arch in archs] == sorted(list(range(5)) * 3)
  assert len(set(archs)) == 15


def test_rates_are_those_of_the_schedule():
  bounds = SPACE.bounds("complexity")
  model = _model(optimizers.CaLR(0.1, 10, *bounds))
  model.optimizer._learning_rate.tell(bounds[0])
  # Half of the training is done: .1 * .5 ** 4 and .1 * .5 ** .25.
  found = probe.rates(model, 5, np.array(bounds, np.float32))
  np.testing.assert_allclose(found, [0.00625, 0.08408964], rtol=1e-5)
  assert float(model.optimizer._learning_rate(5)) == pytest.approx(0.00625)  # Told nothing else.
  for schedule, rate in ((keras.optimizers.schedules.CosineDecay(0.1, 10), 0.05), (0.2, 0.2)):
    found = probe.rates(_model(schedule), 5, np.array(bounds, np.float32))
    np.testing.assert_allclose(found, [rate, rate], rtol=1e-6)


def test_archs_of_a_part_are_of_it_and_have_quarters_of_their_own():
  allowed = [(0, 1), *[range(5)] * 5]  # 6 250 archs.
  archs, classes = probe.sample(SPACE, 40, 0, allowed)
  assert {arch[0] for arch in archs} == {0, 1} and len({arch[1:] for arch in archs}) > 30
  assert collections.Counter(classes) == {k: 10 for k in range(4)}
  method = methods.SinglePath(SPACE, split_decision=2, allowed=allowed)
  archs, groups = probe.of_groups(SPACE, method, seed=0)
  assert {arch[0] for arch in archs} == {0, 1} and groups == sorted(list(range(5)) * 3)
  small = spaces.cell_space(
      "two", [spaces.Operation("skip", "identity"), spaces.Operation("conv", "conv", 3)], nodes=2)
  assert probe.sample(small, 40, 0, [(1,)]) == ([(1,)], [0])


@pytest.mark.parametrize("groups", [5, 1])
def test_a_look(groups, monkeypatch):
  model, own = _model(0.1, groups), supernet_lib.Supernet(SPACE, seed=9)
  for slot, weight in zip(model.optimizer.slots, model.trainable_variables):
    slot.assign(np.stack([weight.numpy()] * groups))  # Every group's momentum: the weights.
  rng = np.random.default_rng(0)
  images = rng.normal(size=[8, 8, 8, 3]).astype(np.float32)
  labels = rng.integers(0, 10, 8).astype(np.int32)

  def score(arch):
    same = all(np.array_equal(a, b) for a, b in zip(own.get_weights()[:-1],
                                                    model.get_weights()[:-1]))
    return {"accuracy": 0.25 if arch == (0,) * 6 else 0.75, "loss": float(same)}

  before = [value.copy() for value in model.get_weights()]
  archs = [(0,) * 6, (1,) * 6, (3,) * 6]
  monkeypatch.setattr(probe, "sample", lambda *args: (archs, [0, 0, 3]))
  line = probe.Probe(1, own, score, images, labels, count=3, seed=0)(model, 7)
  assert [row["index"] for row in line["archs"]] == [0, 3906, 11718]
  low, high = line["classes"]
  assert (low["class"], low["archs"], low["accuracy"], low["loss"]) == (0, 2, 0.5, 1.0)
  assert (high["class"], high["archs"], high["accuracy"]) == (3, 1, 0.75)
  assert low["learning_rate"] == pytest.approx(0.1)
  assert -1 < line["cosines"]["across"] != line["cosines"]["within"] < 1
  momentum = line["momentum"]
  assert momentum["own"] == pytest.approx(momentum["mean"], abs=1e-5)
  assert momentum["other"] == (None if groups == 1 else momentum["own"])
  shown = probe.scalars(line)
  assert shown["probe/accuracy/class_4"] == 0.75 and shown["probe/loss/class_1"] == 1.0
  assert ("probe/momentum/other" in shown) == (groups > 1)
  for value, old in zip(model.get_weights(), before):
    np.testing.assert_array_equal(value, old)
