"""PA&DA's images: their importances by hand, their draws, and that resumes and devices agree."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests import killed
from tests.backend import processes
from tfdynnas import config
from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas import methods
from tfdynnas import spaces
from tfdynnas.methods import importance
from tfdynnas.training import checkpoint
from tfdynnas.training import loop
from tfdynnas.training import recipe

STEPS, EPOCHS, BATCH, IMAGES = 3, 3, 8, 22  # The last batch of an epoch repeats two of its first.
SPACE = spaces.cell_space(
    "three", spaces.nasbench201().operations, nodes=3, skeleton=spaces.Skeleton(2, 1, 8)
)
RNG = np.random.default_rng(0)
PIXELS = RNG.normal(size=[IMAGES, 8, 8, 3]).astype("f")
LABELS = RNG.integers(0, 10, IMAGES).astype(np.int32)


def prepare(batch, step):
  return ops.take(PIXELS, batch["index"], axis=0), ops.take(LABELS, batch["index"])


def batches(first, last):
  epochs = [np.resize(np.random.default_rng(e).permutation(IMAGES), [STEPS, BATCH]) for e in
            range(EPOCHS)]
  index = np.concatenate(epochs)[first:last].astype(np.int32)
  return tf.data.Dataset.from_tensor_slices({"index": index})


def make(step=prepare):
  settings = config.SupernetConfig(
      sampler="pada", epochs=EPOCHS, schedule="cosine", learning_rate=0.1, seed=1
  )
  supernet = recipe.make_supernet(settings, SPACE, EPOCHS * STEPS, step, images=IMAGES)
  loop.build(supernet, 10)
  return supernet


def number(value):
  return ops.convert_to_tensor(value, dtype="int32")


def test_importances_and_distribution_by_hand():
  method = methods.PADA(SPACE, 4, steps=4, epochs=2)
  state, log = method.images, np.log
  # Softmax (.8, .2): of label 0 it is sqrt(.04 + .04) away, of label 1 sqrt(.64 + .64).
  wrong = [[log(4), 0]] * 2
  few, much = np.sqrt(0.08), np.sqrt(1.28)
  method.note(number(0), {"index": number([1, 3])}, number([0, 1]), ops.convert_to_tensor(wrong))
  np.testing.assert_array_equal(state.importance, [0] * 4)  # Nothing moves within an epoch.
  np.testing.assert_allclose(state.distribution, [0.25] * 4)
  method.note(number(1), {"index": number([1, 0])}, number([1, 0]), ops.convert_to_tensor(wrong))
  expected = np.array([few, (few + much) / 2, 0, much])
  np.testing.assert_allclose(state.importance, expected, rtol=1e-6)
  # The epoch ends: tau = 1 / 2.
  np.testing.assert_allclose(state.distribution, expected / expected.sum() / 2 + 1 / 8, rtol=1e-6)
  np.testing.assert_array_equal([state.sums, state.counts], np.zeros([2, 4]))
  method.note(number(2), {"index": number([2, 2])}, number([0, 1]), ops.convert_to_tensor(wrong))
  method.note(number(3), {"index": number([0, 2])}, number([1, 0]), ops.convert_to_tensor(wrong))
  expected = np.array([much, (few + much) / 2, (2 * few + much) / 3, much])
  np.testing.assert_allclose(state.importance, expected, rtol=1e-6)


def test_bits_pick_by_shares():
  bits = [0, 2**30 - 1, 2**30, 3 * 2**30 - 1, 3 * 2**30, 2**32 - 1]
  shares = ops.convert_to_tensor(np.array([0, 0.25, 0, 0.5, 0.25, 0], "f"))
  picked = hashing.picked(ops.convert_to_tensor(bits, dtype="uint32"), shares)
  np.testing.assert_array_equal(picked, [1, 1, 3, 3, 4, 4])


def test_two_hundred_thousand_shares_keep_their_ends_to_a_part_in_thirty():
  shares = np.random.default_rng(0).uniform(0.5, 1.5, 200_000)
  shares = (shares / shares.sum()).astype("f")
  ends = np.cumsum(shares, dtype=np.float64)
  ends /= ends[-1]
  for place in (0.03, 0.97):
    bits = ((ends - (1 - place) * shares) * 2**32).astype(np.uint32)
    picked = hashing.picked(ops.convert_to_tensor(bits), ops.convert_to_tensor(shares))
    np.testing.assert_array_equal(picked, np.arange(len(shares)))


def test_the_first_epoch_sees_each_image_and_others_follow_the_distribution():
  method = methods.PADA(SPACE, 5, prepare=prepare, steps=6, epochs=2, seed=3)
  method.images.importance.assign([0, 1, 2, 0, 5])
  method.images.draw_by(0.5)
  weights = np.array([0.1, 0.1625, 0.225, 0.1, 0.4125])
  np.testing.assert_allclose(method.images.distribution, weights, rtol=1e-6)
  order = number(np.arange(20000))
  first, *others = [method.draw({"index": order, "held": "kept"}, number(s)) for s in (2, 3, 4)]
  np.testing.assert_array_equal(first["index"], order)
  assert all(batch["place"] is order and batch["held"] == "kept" for batch in others)
  drawn = np.array([batch["index"] for batch in others])
  for counts in [np.bincount(row, minlength=5) for row in drawn]:
    bound = 4.5 * np.sqrt(20000 * weights * (1 - weights))
    assert (np.abs(counts - 20000 * weights) <= bound).all()
  drawn = [*drawn, drawn[0, np.r_[1:20000, 0]]]  # Neither steps nor neighbours go together.
  assert np.abs(np.corrcoef(drawn) - np.eye(3)).max() < 0.04


def test_a_step_of_fit_notes_the_images_that_it_drew():
  supernet = make()
  method = supernet.method
  method.images.distribution.assign(np.r_[[0.5], [0.5 / (IMAGES - 1)] * (IMAGES - 1)])
  supernet.optimizer.iterations.assign(STEPS)  # Past the first epoch.
  (batch,) = batches(STEPS, STEPS + 1)
  index = ops.convert_to_numpy(method.draw(batch, number(STEPS))["index"])
  assert 1 < (index == 0).sum() < BATCH
  logits = supernet(PIXELS[index], arch=method.sampler(number(STEPS))[0])
  wrong = ops.convert_to_numpy(ops.softmax(logits)) - np.eye(10)[LABELS[index]]
  supernet.fit(batches(STEPS, STEPS + 1), verbose=0)
  sums = np.bincount(index, np.linalg.norm(wrong, axis=1), IMAGES)
  np.testing.assert_allclose(method.images.sums, sums, rtol=1e-4)
  np.testing.assert_array_equal(method.images.counts, np.bincount(index, minlength=IMAGES))


def fit(folder, seen=None):
  def spy(batch, step):
    if seen is not None:
      tf.py_function(lambda s, i: seen.update({int(s): i.numpy()}), [step, batch["index"]], [])
    return prepare(batch, step)

  supernet = make(spy)
  loop.fit(supernet, batches, STEPS, EPOCHS, folder, {"seed": 1}, every=1)
  return supernet


def test_killed_in_the_middle_of_an_epoch_it_goes_on_exactly(tmp_path):
  before, after = {}, {}
  whole = fit(tmp_path / "whole", before)
  assert np.ptp(whole.method.images.distribution) > 0.001
  assert sorted(set(np.concatenate([before[s] for s in range(STEPS)]))) == list(range(IMAGES))
  with killed.at_call(checkpoint, "save", STEPS + 1):
    fit(tmp_path / "killed")
  again = loop.state(fit(tmp_path / "killed", after))
  for step in range(STEPS + 2, STEPS * EPOCHS):
    np.testing.assert_array_equal(after[step], before[step])
  for name, value in loop.state(whole).items():
    np.testing.assert_array_equal(ops.convert_to_numpy(again[name]), ops.convert_to_numpy(value))


def test_a_saved_supernet_has_its_state(tmp_path):
  supernet = make()
  both = supernet.method.paths, supernet.method.images
  for part in both:
    part.importance.assign(np.arange(part.importance.shape[0]))
    part.draw_by(0.5)
  both[1].sums.assign(np.arange(IMAGES))
  supernet.save(tmp_path / "supernet.keras")
  again = keras.saving.load_model(tmp_path / "supernet.keras")
  assert again.method.get_config() == supernet.method.get_config()
  assert len(again.method.state.weights) == 6
  for one, two in zip(supernet.method.state.weights, again.method.state.weights):
    np.testing.assert_array_equal(one, two)
  with pytest.raises(errors.InputError, match="PADA needs `prepare`"):
    again.method.draw({"index": number([0])}, number(0))


def test_images_that_are_not_held_are_refused():
  settings = config.SupernetConfig(sampler="pada")
  with pytest.raises(errors.InputError, match="held, not streamed. Received: images=0"):
    recipe.make_supernet(settings, SPACE, 1)
  with pytest.raises(errors.InputError, match="pada needs method=spos"):
    config.SupernetConfig(sampler="pada", method="sandwich", momentum_groups="shared")


def test_what_was_seen_only_before_keeps_its_importance():
  state = importance.OfImages(3)
  for index in (0, 2):
    state.see(number([index]), ops.convert_to_tensor([0.5]), True)
  np.testing.assert_array_equal(state.importance, [0.5, 0, 0.5])


MIRRORED = """
import numpy as np
from tests.methods import pada_test as case
from tfdynnas.backend import current
strategy = current.make_strategy("mirrored", ["CPU:0", "CPU:1"])
index = np.array([0, 1, 2, 3, 3, 4, 5, 0], np.int32)  # 0 and 3 are on both devices.
data = case.tf.data.Dataset.from_tensors({"index": index})
one, sums = case.make(), 0.0
start = one.get_weights()
for half in range(2):
  one.set_weights(start)
  one.optimizer.iterations.assign(0)
  one.fit(data.map(lambda b: {"index": b["index"][4 * half:][:4]}), verbose=0)
  sums += one.method.images.sums.numpy()
with strategy.scope():
  two = case.make()
  images = two.method.images
  two.fit(data, verbose=0)
  np.testing.assert_allclose(images.sums.numpy(), sums / 2, rtol=1e-4)
  counts = np.bincount(index, minlength=case.IMAGES)
  np.testing.assert_array_equal(images.counts.numpy(), counts / 2)
  images.see(case.number([21] * 4), case.np.zeros(4, "f"), True)
  mean = np.divide(sums, counts, out=np.zeros(case.IMAGES), where=counts > 0)
  np.testing.assert_allclose(images.importance.numpy(), mean, rtol=1e-4)
  two.fit(case.batches(1, 8), verbose=0)
assert np.ptp(images.distribution.numpy()) > 0.001 and images.counts.numpy().sum() == 2 * 4
for variable in (*images.weights, *two.trainable_variables):
  first, second = (own.numpy() for own in variable.value.values)
  np.testing.assert_array_equal(first, second, variable.name)
"""


def test_two_devices_have_one_importance():
  processes.succeed("-c", MIRRORED)
