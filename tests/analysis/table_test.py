"""Benchmark tables: what is read, what is refused, and the published numbers where they lie."""

import io
import pathlib
import time
import tracemalloc

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas import spaces

SPACE = spaces.get("nasbench201")
PUBLISHED = pathlib.Path(analysis.__file__).resolve().parents[3] / "shared/data/nasbench201.npz"
GOOD = np.linspace(10, 90, SPACE.size, dtype=np.float32)


def _write(path, **arrays):
  np.savez(path, **arrays)
  return path


def test_a_table_is_read(tmp_path):
  twelve = np.where(np.arange(SPACE.size) < 3, np.nan, GOOD / 2)
  path = _write(tmp_path / "t.npz", cifar10_test=GOOD, cifar10_valid_12=twelve,
                imagenet16_120_test=GOOD / 3, ranking_subset=np.array([7, 3], np.int32))
  table = analysis.load_table(path)
  assert (table.space, table.size, table.subset.tolist()) == ("nasbench201", 15625, [7, 3])
  assert table.accuracy("cifar10").dtype == np.float32
  np.testing.assert_array_equal(table.accuracy("cifar10"), GOOD)
  np.testing.assert_array_equal(table.accuracy("cifar10", "valid", 12), twelve.astype(np.float32))
  np.testing.assert_allclose(table.accuracy("imagenet16_120"), GOOD / 3)
  assert table.has("cifar10") and not table.has("cifar10", "valid")


def test_what_is_written_is_read(tmp_path):
  accuracies = {("own", "test", 200): [1, 2.5, np.nan], ("own", "valid", 12): [0, 100, 50]}
  analysis.save_table(tmp_path / "t.npz", "tiny", accuracies, subset=[2, 0])
  table = analysis.load_table(tmp_path / "t.npz")
  assert (table.space, table.size, table.subset.tolist()) == ("tiny", 3, [2, 0])
  for of, values in accuracies.items():
    np.testing.assert_array_equal(table.accuracy(*of), np.float32(values))


def test_missing_numbers_are_named_with_what_is_there_and_how_to_get_them(tmp_path):
  table = analysis.load_table(_write(tmp_path / "t.npz", cifar10_test=GOOD, cifar10_valid_12=GOOD))
  with pytest.raises(errors.InputError) as error:
    table.accuracy("cifar100", "valid", 12)
  for part in ("`cifar100_valid_12`", "tools/make_table.py", "--standalone=N",
               "Received: cifar10_test, cifar10_valid_12"):
    assert part in str(error.value)
  with pytest.raises(errors.InputError, match="make_table.py .*Received: .*nowhere.npz, none"):
    analysis.load_table(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("arrays, words", [
    ({"cifar10": GOOD}, "DATASET_SPLIT or DATASET_SPLIT_EPOCHS. Received: 'cifar10'"),
    ({"cifar10_test": GOOD[:-1]}, "the 15625 archs of nasbench201. Received: .*15624"),
    ({"a_test": GOOD[:3], "b_test": GOOD[:4], "space": np.array("own")}, "all archs of its space"),
    ({}, "Received: {}"), ({"space": np.array("own")}, "Received: {}"),
    ({"cifar10_test": GOOD[None]}, "one number per arch. Received: float32 .1, 15625"),
    ({"cifar10_test": GOOD.astype(str)}, "one number per arch. Received: <U"),
    ({"cifar10_test": GOOD + 20}, r"percent in \[0, 100\], or NaN. Received: 100.0"),
    ({"cifar10_test": GOOD - 11}, r"percent in \[0, 100\], or NaN. Received: -1.0"),
    ({"cifar10_test": GOOD * np.inf}, "or NaN. Received: inf"),
    ({"cifar10_test": GOOD, "ranking_subset": np.array([1, 15625])}, "Received: 15625"),
    ({"cifar10_test": GOOD, "ranking_subset": np.array([-1, 1])}, "Received: -1"),
    ({"cifar10_test": GOOD, "ranking_subset": np.array([1, 1])}, "different integers"),
    ({"cifar10_test": GOOD, "ranking_subset": np.array([1.0, 2.0])}, "Received: float64"),
    ({"cifar10_test": GOOD, "ranking_subset": np.array([[1, 2]])}, "different integers"),
])
def test_numbers_that_cannot_be_right_are_refused(tmp_path, arrays, words):
  with pytest.raises(errors.InputError, match=words):
    analysis.load_table(_write(tmp_path / "t.npz", **arrays))


def _npy(array):
  file = io.BytesIO()
  np.save(file, array, allow_pickle=True)
  return file.getvalue()


@pytest.mark.parametrize("damage", [
    lambda whole: b"", lambda whole: b"no archive", lambda whole: whole[:len(whole) // 2],
    lambda whole: whole[:300] + bytes(64) + whole[364:], lambda whole: whole[2000:],
    lambda whole: _npy(GOOD), lambda whole: _npy(np.array([{}], object)),
])
def test_damaged_files_are_refused(tmp_path, damage):
  path = _write(tmp_path / "t.npz", cifar10_test=GOOD)
  path.write_bytes(damage(path.read_bytes()))
  with pytest.raises(errors.InputError, match="must be a whole .npz file. Received: "):
    analysis.load_table(path)


def test_pickles_are_not_run(tmp_path):
  path = _write(tmp_path / "t.npz", cifar10_test=np.array([{}], object))
  with pytest.raises(errors.InputError, match="allow_pickle"):
    analysis.load_table(path)


def test_a_table_of_everything_loads_quickly_and_small(tmp_path):
  names = [(dataset, split, epochs) for dataset in ("cifar10", "cifar100", "imagenet16_120")
           for split in ("valid", "test") for epochs in (12, 200)]
  analysis.save_table(tmp_path / "t.npz", "nasbench201", {of: GOOD for of in names})
  tracemalloc.start()
  start = time.perf_counter()
  table = analysis.load_table(tmp_path / "t.npz")
  seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
  tracemalloc.stop()
  assert len(table.accuracies) == 12 and seconds < 1 and peak < 50e6


@pytest.fixture(scope="module")
def published():
  if not PUBLISHED.exists():
    pytest.skip("needs ../shared/data/nasbench201.npz, which is not shipped")
  return analysis.load_table(PUBLISHED)


def test_published_landmarks(published):
  test, valid = published.accuracy("cifar10"), published.accuracy("cifar10", "valid")
  np.testing.assert_allclose(test[[0, 3906, 7812, 11718, 15624, 5338]],
                             [10, 54.3, 89.37, 93.76, 49.02, 93.63], atol=1e-4)
  np.testing.assert_allclose(valid[[0, 3906, 7812, 11718, 15624, 5338]],
                             [9.71, 39.77, 86.51, 90.2, 37.35, 90.09], atol=1e-4)
  assert test.max() == test[11663] == test[11667] and valid.argmax() == 11667
  assert np.sum(test, dtype=np.float64) == pytest.approx(1360254.81, abs=0.5)
  assert len(published.subset) == 327 and published.subset[:3].tolist() == [0, 12878, 9753]


def test_published_taus(published):
  test, valid = published.accuracy("cifar10"), published.accuracy("cifar10", "valid")
  complexity = np.array([SPACE.cost(SPACE.arch(i), "complexity") for i in range(SPACE.size)])
  rows = published.subset
  assert analysis.kendall(complexity[rows], test[rows]) == pytest.approx(0.6366, abs=5e-5)
  assert analysis.kendall(complexity, test) == pytest.approx(0.5777, abs=5e-5)
  assert analysis.kendall(complexity[rows], valid[rows]) == pytest.approx(0.6127, abs=5e-5)
  assert analysis.kendall(complexity, valid) == pytest.approx(0.5343, abs=5e-5)
  assert analysis.kendall(valid[rows], test[rows]) == pytest.approx(0.9266, abs=5e-5)
