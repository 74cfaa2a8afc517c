"""Names of devices that no back end takes."""

import pytest

from tfdynnas import errors
from tfdynnas.backend import device_names


def test_names_that_cannot_be_are_refused():
  device_names.check("none", [])
  device_names.check("none", ["GPU:0"])
  device_names.check("mirrored", ["GPU:0", "GPU:1"])
  with pytest.raises(errors.InputError, match=r"must differ. Received: \['CPU:0', 'CPU:0'\]"):
    device_names.check("mirrored", ["CPU:0", "CPU:0"])
  with pytest.raises(errors.InputError, match="need distribution=mirrored. Received: .*GPU:1"):
    device_names.check("none", ["GPU:0", "GPU:1"])
  device_names.check_there(["GPU:1"], ["CPU:0", "GPU:1"])
  with pytest.raises(errors.InputError, match=r"among \['CPU:0'\]. Received: \['GPU:0', 'TPU:0'\]"):
    device_names.check_there(["GPU:0", "CPU:0", "TPU:0"], ["CPU:0"])


def test_a_back_end_that_has_started_must_have_the_cpus_that_are_wanted():
  def late():
    raise RuntimeError("already initialized")

  with device_names.making_cpus(2, lambda: ["CPU:0", "CPU:1"]):
    late()
  with pytest.raises(errors.InputError, match="must be made first. Received: already initialized"):
    with device_names.making_cpus(3, lambda: ["CPU:0", "CPU:1"]):
      late()
