"""The train step on TensorFlow."""

import keras
import tensorflow as tf

from tfdynnas import errors
from tfdynnas.training import loop_on_tensorflow
from tfdynnas.training import step
from tfdynnas.training import workers_on_tensorflow as workers


# XLA compiles every branch of every switch, and takes longer over a step.
JIT_COMPILE = False

agree = workers.agree
beat = workers.beat
held_scope = workers.held_scope
make_workers = workers.Workers
runner = loop_on_tensorflow.runner
share = workers.share
timed = loop_on_tensorflow.timed
together = workers.together


def train_step(method, supernet, batch):
  """One step of Keras' `fit`.

  Args:
    method: training.Method.
    supernet: supernet.Supernet, compiled.
    batch: What the data set yields.

  Returns:
    dict, metric name -> value.
  """
  if not supernet.optimizer.built:  # Keras builds it when it applies; it is told before that.
    with tf.init_scope():
      supernet.optimizer.build(supernet.trainable_variables)
  return step.train(method, supernet, batch, differentiate)


def differentiate(supernet, images, labels, paths, factors, distils):
  """Gradients of the paths of a step, of this replica's images.

  Args:
    supernet: supernet.Supernet, compiled.
    images: float [batch, height, width, 3].
    labels: int32 [batch].
    paths: int32 [paths, decisions].
    factors: float32 [paths], weight of each path's loss; None for one path.
    distils: Whether paths after the first learn from its logits, not from the labels.

  Returns:
    (gradients, loss, logits): one tensor per trainable weight, summed over the paths; the mean
    loss of an image and a path, without the paths' weights; float32 [paths * batch, classes].
  """
  if paths.shape[0] > 1:
    return _several(supernet, images, labels, paths, factors, distils)
  with tf.GradientTape() as tape:
    logits = supernet(images, arch=paths[0], training=True)
    loss = supernet.compute_loss(x=images, y=labels, y_pred=logits)
    scaled = supernet.optimizer.scale_loss(loss)
  return tape.gradient(scaled, supernet.trainable_variables), loss * _replicas(), logits


def _several(supernet, images, labels, paths, factors, distils):
  """Sums the gradients of several paths, one after the other: one path is traced, and in memory."""
  count, weights = paths.shape[0], supernet.trainable_variables
  classes = supernet.space.skeleton.classes

  def one(number, sums, losses, outputs, target):
    with tf.GradientTape() as tape:
      logits = supernet(images, arch=paths[number], training=True)
      loss = supernet.compute_loss(x=images, y=labels, y_pred=logits)
      if distils:
        loss = tf.where(number == 0, loss, _distillation(target, logits))
      scaled = supernet.optimizer.scale_loss(loss * factors[number])
    gradients = tape.gradient(scaled, weights, unconnected_gradients="zero")
    sums = [total + tf.convert_to_tensor(gradient) for total, gradient in zip(sums, gradients)]
    target = tf.where(number == 0, tf.nn.softmax(logits), target)
    return number + 1, sums, losses + loss, outputs.write(number, logits), target

  zeros = [tf.zeros(weight.shape, weight.dtype) for weight in weights]
  start = (
      tf.constant(0), zeros, tf.constant(0.0), tf.TensorArray(tf.float32, count),
      tf.zeros([tf.shape(images)[0], classes]),
  )
  _, sums, losses, outputs, _ = tf.while_loop(
      lambda number, *_: number < count, one, start, parallel_iterations=1
  )
  return sums, losses / count * _replicas(), outputs.concat()


def _distillation(target, logits):
  """Cross-entropy with another path's softmax, divided by the replicas as Keras divides a loss."""
  loss = tf.nn.softmax_cross_entropy_with_logits(target, logits)
  return tf.reduce_mean(loss) / _replicas()


def _replicas():
  """Their number: Keras divides the loss of a replica by it, so that gradients may be summed."""
  return tf.distribute.get_strategy().num_replicas_in_sync


def path_gradient(supernet, images, labels, arch):
  """Gradient of the mean loss of one arch, without clipping and weight decay.

  Args:
    supernet: supernet.Supernet.
    images: float32 [batch, height, width, 3], normalised.
    labels: int32 [batch].
    arch: int32 [decisions].

  Returns:
    List of float32 tensors, one per trainable weight and of its shape; 0 off the path.
  """
  weights = supernet.trainable_variables
  with tf.GradientTape() as tape:
    logits = supernet(images, arch=arch)
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    loss = tf.reduce_mean(losses)
  gradients = tape.gradient(
      loss, [w.value for w in weights], unconnected_gradients=tf.UnconnectedGradients.ZERO
  )
  return [tf.convert_to_tensor(gradient) for gradient in gradients]


def check_compile(settings):
  """Refuses what hangs or fails under several replicas in TensorFlow 2.21 with Keras 3.15.

  Args:
    settings: dict, keyword arguments of `compile`.

  Raises:
    InputError: One of them is set and there are several replicas.
  """
  replicas = tf.distribute.get_strategy().num_replicas_in_sync
  optimizer = settings.get("optimizer")
  broken = {
      "jit_compile": settings.get("jit_compile") is True,
      "run_eagerly": bool(settings.get("run_eagerly")),
      "steps_per_execution": settings.get("steps_per_execution") not in (None, 1),
      "gradient_accumulation_steps": bool(
          getattr(optimizer, "gradient_accumulation_steps", None)
      ),
  }
  wrong = [name for name, is_set in broken.items() if is_set]
  if replicas > 1 and wrong:
    raise errors.InputError(
        f"Several devices cannot train with {' or '.join(wrong)}. Received: {replicas} devices"
    )


def make_strategy(distribution, devices):
  """The strategy of a run.

  Args:
    distribution: `none` or `mirrored`.
    devices: Names such as `GPU:0`; of `CPU`, as many logical devices as are named are made, if
      TensorFlow has not started yet. Empty stands for the first, or for all with `mirrored`.

  Returns:
    tf.distribute.Strategy. One device gives no MirroredStrategy: it would cost and bring nothing.

  Raises:
    InputError: A device is not there or named twice, or several without `mirrored`.
  """
  devices = [device.upper() for device in devices]
  if len(set(devices)) < len(devices):
    raise errors.InputError(f"`devices` must differ. Received: {devices}")
  if distribution == "none" and len(devices) > 1:
    raise errors.InputError(f"Several `devices` need distribution=mirrored. Received: {devices}")
  _make_cpus(sum(device.startswith("CPU") for device in devices))
  there = [device.name.replace("/device:", "") for device in tf.config.list_logical_devices()]
  missing = [device for device in devices if device not in there]
  if missing:
    raise errors.InputError(f"`devices` must be among {there}. Received: {missing}")
  # What MirroredStrategy takes if it is told none: the accelerators, if there is one.
  usable = devices or [device for device in there if not device.startswith("CPU")] or there
  if distribution == "mirrored" and len(usable) > 1:
    return tf.distribute.MirroredStrategy(devices or None)
  return tf.distribute.OneDeviceStrategy(devices[0]) if devices else tf.distribute.get_strategy()


def _make_cpus(count):
  """Makes as many logical CPUs, if more than one is wanted."""
  if count < 2:
    return
  host = tf.config.list_physical_devices("CPU")[0]
  parts = [tf.config.LogicalDeviceConfiguration()] * count
  try:
    tf.config.set_logical_device_configuration(host, parts)
  except RuntimeError as error:
    if len(tf.config.list_logical_devices("CPU")) < count:
      raise errors.InputError(
          f"`devices` of several CPUs must be made first. Received: {error}"
      ) from error


def shorten_first_step():
  """Leaves out TensorFlow's graph optimiser, which takes seconds on a supernet's graph.

  At the paper's size first steps are 4 to 6 s shorter than with most passes off; steps
  take 0.997 and 1.008 times as long (off-path frozen and moved). For the whole process.
  """
  tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def make_deterministic(seed):
  """Makes every operation give the same bits in every run."""
  keras.utils.set_random_seed(seed)
  tf.config.experimental.enable_op_determinism()


def devices_of(strategy):
  """int, how many devices share a batch."""
  return strategy.num_replicas_in_sync


def peak_device_bytes():
  """The most memory of an accelerator that this process has held.

  Returns:
    int, bytes, of the device that held most; None on a CPU.
  """
  names = [device.name.replace("/device:", "") for device in tf.config.list_logical_devices("GPU")]
  peaks = [tf.config.experimental.get_memory_info(name)["peak"] for name in names]
  return max(peaks, default=None)


def batches(feed):
  """What `loop.fit` takes its batches from: those of a data.training_feed.TrainingFeed."""
  return feed.batches


def boards(folder):
  """List of callbacks that write a training's TensorBoard events."""
  return [keras.callbacks.TensorBoard(str(folder), write_graph=False)]


def compiled(function, variables):
  """Compiles a function of tensors; it is traced once per shape of its arguments.

  Args:
    function: Callable; it may read variables, at their values of each call.
    variables: Those that it reads, which this back end sees by itself.

  Returns:
    Callable with the same arguments.
  """
  return tf.function(function, autograph=False, reduce_retracing=False)
