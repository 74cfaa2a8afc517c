"""The devices that TensorFlow trains on, and what they can do."""

import keras
import tensorflow as tf

from tfdynnas import errors
from tfdynnas.backend import device_names


def make_strategy(distribution, devices):
  """Makes a tf.distribute.Strategy; see contract.Backend.make_strategy.

  One device gets no MirroredStrategy, which would only cost time.
  """
  devices = [device.upper() for device in devices]
  device_names.check(distribution, devices)
  _make_cpus(sum(device.startswith("CPU") for device in devices))
  there = [device.name.replace("/device:", "") for device in tf.config.list_logical_devices()]
  device_names.check_there(devices, there)
  # MirroredStrategy's own default: the accelerators, if there is one.
  usable = devices or [device for device in there if not device.startswith("CPU")] or there
  if distribution == "mirrored" and len(usable) > 1:
    return tf.distribute.MirroredStrategy(devices or None)
  return tf.distribute.OneDeviceStrategy(devices[0]) if devices else tf.distribute.get_strategy()


def _make_cpus(count):
  """Makes so many logical CPUs, if more than one is wanted."""
  if count < 2:
    return
  host = tf.config.list_physical_devices("CPU")[0]
  parts = [tf.config.LogicalDeviceConfiguration()] * count
  with device_names.making_cpus(count, lambda: tf.config.list_logical_devices("CPU")):
    tf.config.set_logical_device_configuration(host, parts)


def replicas():
  """Number of replicas, int: Keras divides the loss by it, so that gradients may be summed."""
  return tf.distribute.get_strategy().num_replicas_in_sync


def peak_device_bytes():
  """Most memory that this process has held on one accelerator.

  Returns:
    int, bytes; None on a CPU.
  """
  names = [device.name.replace("/device:", "") for device in tf.config.list_logical_devices("GPU")]
  peaks = [tf.config.experimental.get_memory_info(name)["peak"] for name in names]
  return max(peaks, default=None)


def check_compile(settings):
  """Refuses what hangs or fails under several replicas in TensorFlow 2.21 with Keras 3.15.

  Args:
    settings: dict, keyword arguments of `compile`.

  Raises:
    InputError: One of them is set with several replicas, or XLA with frozen weights.
  """
  count, optimizer = replicas(), settings.get("optimizer")
  if settings.get("jit_compile") is True and getattr(optimizer, "off_path", "") == "frozen":
    raise errors.InputError(
        "MS with off_path=frozen needs jit_compile=False: XLA cannot compile steps that write as "
        "many rows as a mask leaves. Received: jit_compile=True"
    )
  broken = {
      "jit_compile": settings.get("jit_compile") is True,
      "run_eagerly": bool(settings.get("run_eagerly")),
      "steps_per_execution": settings.get("steps_per_execution") not in (None, 1),
      "gradient_accumulation_steps": bool(
          getattr(optimizer, "gradient_accumulation_steps", None)
      ),
  }
  wrong = [name for name, is_set in broken.items() if is_set]
  if count > 1 and wrong:
    raise errors.InputError(
        f"Several devices cannot train with {' or '.join(wrong)}. Received: {count} devices"
    )


def shorten_first_step():
  """Leaves out TensorFlow's graph optimiser, which takes seconds on a supernet's graph.

  At the paper's size first steps are 4 to 6 s shorter than with most passes off; steps take 0.997
  and 1.008 times as long (off-path frozen and moved). Applies to the whole process.
  """
  tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def make_deterministic(seed):
  """Makes every operation give the same bits in every run."""
  keras.utils.set_random_seed(seed)
  tf.config.experimental.enable_op_determinism()
