"""Benchmark tables from a NATS-Bench download, read by its package: the extra `nats-bench`.

Source: Dong et al., NATS-Bench (TPAMI 2021), topology space, which is that of NAS-Bench-201. Its
archs have another order; they are identified by their strings.
"""

import os
import pathlib

import numpy as np

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.files import damage

EPOCHS = (12, 200)
# Ours -> theirs: validation accuracies are of trainings that leave the validation images out.
NAMES = {
    ("cifar10", "valid"): ("cifar10-valid", "valid-accuracy"),
    ("cifar10", "test"): ("cifar10", "test-accuracy"),
    ("cifar100", "valid"): ("cifar100", "valid-accuracy"),
    ("cifar100", "test"): ("cifar100", "test-accuracy"),
    ("imagenet16_120", "valid"): ("ImageNet16-120", "valid-accuracy"),
    ("imagenet16_120", "test"): ("ImageNet16-120", "test-accuracy"),
}


def read_nats(path, progress=lambda done, total: None):
  """Reads all accuracies, each the mean over its seeds.

  Args:
    path: The download: the folder `NATS-tss-v1_0-3ffb9-simple`, or the one large file.
    progress: Callable (done, total), called after each arch.

  Returns:
    dict, (dataset, split, epochs) -> float32 [15625], percent, in lexicographic order, NaN where
    the download has none: what `save_table` takes.

  Raises:
    InputError: There is no such download, it lacks archs, or nats_bench is not installed.
  """
  api, space = _open(pathlib.Path(path)), spaces.get("nasbench201")
  if len(api) != space.size:
    raise errors.InputError(f"{path} must hold {space.size} archs. Received: {len(api)}")
  found = {(*of, epochs): np.full(space.size, np.nan, np.float32)
           for of in NAMES for epochs in EPOCHS}
  for number in range(len(api)):
    index = space.index(space.parse(api.arch(number)))
    for (dataset, split, epochs), values in found.items():
      values[index] = _mean(api, number, *NAMES[dataset, split], epochs)
    progress(number + 1, len(api))
  return {of: values for of, values in found.items() if not np.isnan(values).all()}


def _mean(api, number, dataset, key, epochs):
  """Percent, mean over seeds; NaN if the download does not have it."""
  try:
    information = api.get_more_info(number, dataset, hp=str(epochs), is_random=False)
  except KeyError:
    return np.nan
  return information.get(key, np.nan)


def _open(path):
  """The package's own reader."""
  # pathlib's raises for too long a name. A device or a pipe may never end.
  if not os.path.isdir(path) and not os.path.isfile(path):
    raise errors.InputError(
        "`nats` must be a NATS-Bench download, NATS-tss-v1_0-3ffb9-simple or "
        f"NATS-tss-v1_0-3ffb9.pickle.pbz2. Received: {str(path):.300}, neither"
    )
  try:
    import nats_bench
  except ImportError:
    raise errors.InputError(
        "A NATS-Bench download is read by its package: pip install tfdynnas[nats-bench]"
    ) from None
  with damage.refused(path, "a NATS-Bench download", (*damage.KINDS, AssertionError)):
    return nats_bench.create(str(path), "tss", fast_mode=path.is_dir(), verbose=False)
