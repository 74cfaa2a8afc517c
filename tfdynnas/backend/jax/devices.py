"""The devices that JAX trains on."""

import contextlib
import os

import jax
import keras

from tfdynnas.backend import device_names


class Devices:
  """Devices that train together: the counterpart of a TensorFlow strategy.

  A batch is divided among them, but its statistics are those of the whole batch: unlike
  TensorFlow's replicas, several devices compute the same as one.

  Attributes:
    num_replicas_in_sync: 1, since a batch is normalised as a whole.
    devices: int, number of devices.
  """

  num_replicas_in_sync = 1

  def __init__(self, names):
    self.devices = max(1, len(names))
    self._names = names

  @contextlib.contextmanager
  def scope(self):
    """Scope for variables that lie on all the devices."""
    before = keras.distribution.distribution()
    if self._names:
      mesh = keras.distribution.DataParallel(devices=self._names)
      keras.distribution.set_distribution(mesh)
    try:
      yield
    finally:
      keras.distribution.set_distribution(before)


def make_strategy(distribution, devices):
  """Makes Devices; see contract.Backend.make_strategy."""
  devices = [device.lower() for device in devices]
  device_names.check(distribution, devices)
  if not devices and distribution == "none":
    return Devices([])
  cpus = sum(device.startswith("cpu") for device in devices)
  if cpus > 1:
    with device_names.making_cpus(cpus, lambda: jax.devices("cpu")):
      jax.config.update("jax_num_cpu_devices", cpus)
  there = keras.distribution.list_devices()
  device_names.check_there(devices, there)
  return Devices(devices or there)


def peak_device_bytes():
  """Most bytes that this process has held on one accelerator, int; None on a CPU."""
  stats = [device.memory_stats() for device in jax.local_devices() if device.platform != "cpu"]
  return max((one["peak_bytes_in_use"] for one in stats if one), default=None)


def make_deterministic(seed):
  """Makes every operation give the same bits in every run, if nothing has been computed yet.

  All random draws are functions of a run's own seeds. (Keras' `set_random_seed` would import
  TensorFlow where it is installed.)
  """
  del seed
  flags = os.environ.get("XLA_FLAGS", "")
  os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true"  # Read at the first array.
