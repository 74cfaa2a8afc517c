"""Tables of a NATS-Bench download, whose own package is stood in for."""

import sys
import types

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas import spaces

SPACE = spaces.get("nasbench201")


class _Api:
  """What nats_bench.create gives: archs in an order of its own."""

  def __init__(self, order):
    self._order = order

  def __len__(self):
    return len(self._order)

  def arch(self, number):
    return SPACE.format(SPACE.arch(self._order[number]))

  def get_more_info(self, number, dataset, iepoch=None, hp="12", is_random=True):
    assert isinstance(hp, str) and is_random is False  # The mean over the seeds.
    if (dataset, hp) == ("ImageNet16-120", "12"):
      raise KeyError(hp)
    index, more = self._order[number], {"12": 0.25, "200": 0.5}[hp]
    value = index % 97 + more
    return {"cifar10-valid": {"valid-accuracy": value, "test-accuracy": 99.0},
            "cifar10": {"test-accuracy": value / 2},
            "cifar100": {"valid-accuracy": value / 3, "test-accuracy": value / 4},
            "ImageNet16-120": {"test-accuracy": value / 5}}[dataset]


@pytest.fixture
def nats_bench(monkeypatch):
  """The package, stood in for; what it was asked for is in `calls`."""
  package = types.ModuleType("nats_bench")
  package.calls, package.order = [], np.random.default_rng(0).permutation(SPACE.size)

  def create(path, space, fast_mode=False, verbose=True):
    package.calls.append((path, space, fast_mode, verbose))
    return _Api(package.order)

  package.create = create
  monkeypatch.setitem(sys.modules, "nats_bench", package)
  return package


def test_a_download_becomes_a_table_in_lexicographic_order(nats_bench, tmp_path):
  seen = []
  found = analysis.read_nats(tmp_path, lambda done, total: seen.append((done, total)))
  assert nats_bench.calls == [(str(tmp_path), "tss", True, False)]
  assert seen[-1] == (15625, 15625) and len(seen) == 15625
  assert set(found) == {(d, s, e) for d in ("cifar10", "cifar100") for s in ("valid", "test")
                        for e in (12, 200)} | {("imagenet16_120", "test", 200)}
  analysis.save_table(tmp_path / "t.npz", "nasbench201", found)
  table = analysis.load_table(tmp_path / "t.npz")
  base = np.arange(15625) % 97
  np.testing.assert_array_equal(table.accuracy("cifar10", "valid", 12), base + np.float32(0.25))
  np.testing.assert_array_equal(table.accuracy("cifar10"), np.float32((base + 0.5) / 2))
  np.testing.assert_array_equal(table.accuracy("cifar100", "test"), np.float32((base + 0.5) / 4))
  np.testing.assert_array_equal(table.accuracy("imagenet16_120"), np.float32((base + 0.5) / 5))


def test_the_one_large_file_is_opened_as_such(nats_bench, tmp_path):
  (tmp_path / "nats.pickle.pbz2").write_bytes(b"")
  nats_bench.order = nats_bench.order[:5]
  with pytest.raises(errors.InputError, match="must hold 15625 archs. Received: 5"):
    analysis.read_nats(tmp_path / "nats.pickle.pbz2")
  assert nats_bench.calls[0][2] is False


def test_what_is_no_download_is_refused(nats_bench, monkeypatch, tmp_path):
  with pytest.raises(errors.InputError, match="NATS-tss-v1_0-3ffb9-simple .*nowhere, neither"):
    analysis.read_nats(tmp_path / "nowhere")
  monkeypatch.setattr(nats_bench, "create", lambda *args, **kwargs: open(tmp_path / "meta"))
  with pytest.raises(errors.InputError, match="must be a NATS-Bench download. Received: .*meta"):
    analysis.read_nats(tmp_path)
  monkeypatch.setitem(sys.modules, "nats_bench", None)
  with pytest.raises(errors.InputError, match=r"pip install tfdynnas\[nats-bench\]"):
    analysis.read_nats(tmp_path)
