"""The train step on JAX, and several of them in one call of the device."""

import contextlib
import functools
import os

import jax
import keras
import numpy as np
from jax import numpy as jnp

from tfdynnas import errors
from tfdynnas.training import step as step_lib

JIT_COMPILE = "auto"
CHUNK = 50  # Steps of one call, at most: so many positions of images are sent, and logs come back.


def train_step(method, supernet, state, batch):
  """One step of Keras' `fit`: a pure function of state and batch.

  Args:
    method: training.Method.
    supernet: supernet.Supernet, compiled, its optimizer built.
    state: Values of the variables of `_variables`, in lists alike.
    batch: What the data set yields.

  Returns:
    (logs, state): dict, metric name -> value; the new state.
  """
  variables = _variables(supernet)
  pairs = [pair for kind in zip(variables, state) for pair in zip(*kind)]
  with keras.StatelessScope(state_mapping=pairs) as scope:
    logs = step_lib.train(method, supernet, batch, differentiate)
  return logs, tuple([scope.get_current_value(v) for v in kind] for kind in variables)


def _variables(model):
  """The variables that a step changes, in the order that Keras' trainer has."""
  return (
      model.trainable_variables, model.non_trainable_variables, model.optimizer.variables,
      model.metrics_variables,
  )


def differentiate(supernet, images, labels, paths, factors, distils):
  """Gradients of the paths of a step; as `on_tensorflow.differentiate`."""
  weights = supernet.trainable_variables
  values = [jnp.asarray(weight.value) for weight in weights]
  images, labels = _shared_out(images), _shared_out(labels)
  scale = supernet.optimizer.scale_loss(jnp.float32(1))

  def loss_of(values, number, arch, factor, target):
    with keras.StatelessScope(state_mapping=list(zip(weights, values))):
      logits = supernet(images, arch=arch, training=True)
      loss = supernet.compute_loss(x=images, y=labels, y_pred=logits)
    if target is not None:
      loss = jnp.where(number == 0, loss, _cross_entropy(target, logits))
    return loss * factor * scale, (loss, logits)

  slope = jax.value_and_grad(loss_of, has_aux=True)
  if paths.shape[0] == 1:
    (_, (loss, logits)), gradients = slope(values, 0, paths[0], 1.0, None)
    return gradients, loss, logits

  def one(carry, path):
    sums, target = carry
    (_, (loss, logits)), gradients = slope(values, *path, target)
    sums = [total + gradient for total, gradient in zip(sums, gradients)]
    if distils:
      target = jnp.where(path[0] == 0, jax.nn.softmax(logits), target)
    return (sums, target), (loss, logits)

  count, classes = paths.shape[0], supernet.space.skeleton.classes
  target = jnp.zeros([images.shape[0], classes]) if distils else None
  start = [jnp.zeros_like(value) for value in values], target
  (sums, _), (losses, logits) = jax.lax.scan(one, start, (jnp.arange(count), paths, factors))
  return sums, jnp.mean(losses), jnp.reshape(logits, [-1, classes])


def _cross_entropy(target, logits):
  return -jnp.mean(jnp.sum(target * jax.nn.log_softmax(logits), axis=1))


def _shared_out(batch):
  """A batch, a share of it on each device."""
  distribution = keras.distribution.distribution()
  if distribution is None:
    return batch
  layout = distribution.get_data_layout(batch.shape)
  return keras.distribution.distribute_tensor(batch, layout)


def path_gradient(supernet, images, labels, arch):
  """Gradient of the mean loss of one arch; as `on_tensorflow.path_gradient`."""
  weights = supernet.trainable_variables

  def loss_of(values):
    with keras.StatelessScope(state_mapping=list(zip(weights, values))):
      logits = supernet(images, arch=arch)
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return jnp.mean(losses)

  return jax.grad(loss_of)([jnp.asarray(weight.value) for weight in weights])


def compiled(function, variables):
  """Compiles a function of arrays; as `on_tensorflow.compiled`.

  JAX would keep the variables' values of the first call, so they go in as arguments.
  """

  @jax.jit
  def pure(values, *args):
    with keras.StatelessScope(state_mapping=list(zip(variables, values))):
      return function(*args)

  return lambda *args: pure([variable.value for variable in variables], *args)


def timed(steps):
  """Steps and how long is waited for them; as on TensorFlow. Held images are there at once."""
  return steps, lambda: 0.0


def boards(folder):
  """No callbacks: TensorBoard's events need TensorFlow."""
  return []


def batches(feed):
  """What `loop.fit` takes its batches from: a data.training_feed.TrainingFeed's held images."""
  return feed.held_steps


def runner(model, every):
  """How `loop.fit` runs steps: many in one call, with the callbacks of each after it.

  Args:
    model: supernet.Supernet, compiled and built with its optimizer and metrics.
    every: int, a call ends at each multiple of so many steps, so that what callbacks save then is
      the state of that very step.

  Returns:
    Callable (held_steps, epoch, epochs, steps, callbacks): runs the steps of a
    data.training_feed.HeldSteps, `steps` in each epoch from `epoch` to before `epochs`.
  """
  call = _compiled_steps(model)

  def run(held_steps, epoch, epochs, steps, callbacks):
    told = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs, steps=steps)
    told.on_train_begin()
    for number in range(epoch, epochs):
      model.reset_metrics()
      told.on_epoch_begin(number)
      done, first = 0, (number - epoch) * steps
      while done < steps:
        until = every - int(model.optimizer.iterations) % every
        count = min(CHUNK, steps - done, until)
        for logs in call(held_steps, first + done, count):
          told.on_train_batch_begin(done)
          told.on_train_batch_end(done, logs)
          done += 1
      told.on_epoch_end(number, logs)
    told.on_train_end()

  return run


def _compiled_steps(model):
  """Callable (held_steps, first, count) -> list of dicts: runs steps and gives the logs of each."""
  names = list(model.get_metrics_result())

  @functools.partial(jax.jit, donate_argnums=0)
  def pure(state, held, index, count):
    def one(place, carry):
      logs, new = model.train_step(carry[0], {"held": held, "index": index[place]})
      return new, carry[1].at[place].set(jnp.stack([logs[name] for name in names]))

    return jax.lax.fori_loop(0, count, one, (state, jnp.zeros([CHUNK, len(names)])))

  def call(held_steps, first, count):
    # Of one shape whatever the count, so that it is compiled once.
    index = np.resize(held_steps.index[first:first + count], [CHUNK, held_steps.index.shape[1]])
    variables = _variables(model)
    state = tuple([variable.value for variable in kind] for kind in variables)
    state, logs = pure(state, held_steps.held, index, count)
    for kind, values in zip(variables, state):
      for variable, value in zip(kind, values):
        variable.assign(value)
    return [dict(zip(names, map(float, row))) for row in np.asarray(logs)[:count]]

  return call


class Devices:
  """Devices that train together; what a strategy is on TensorFlow.

  A batch is shared out, and statistics are of the whole batch wherever its images lie: unlike
  TensorFlow's replicas, several devices compute what one does.

  Attributes:
    num_replicas_in_sync: 1, parts of a batch that are normalised apart.
    devices: int.
  """

  num_replicas_in_sync = 1

  def __init__(self, names):
    self.devices = max(1, len(names))
    self._names = names

  @contextlib.contextmanager
  def scope(self):
    """What is made inside lies on all the devices."""
    before = keras.distribution.distribution()
    if self._names:
      mesh = keras.distribution.DataParallel(devices=self._names)
      keras.distribution.set_distribution(mesh)
    try:
      yield
    finally:
      keras.distribution.set_distribution(before)


def make_strategy(distribution, devices):
  """The devices of a run.

  Args:
    distribution: `none` or `mirrored`.
    devices: Names such as `GPU:0`; of `CPU`, as many as are named are made, if JAX has not started
      yet. Empty stands for the first, or for all with `mirrored`.

  Returns:
    Devices.

  Raises:
    InputError: A device is not there or named twice, or several without `mirrored`.
  """
  devices = [device.lower() for device in devices]
  if len(set(devices)) < len(devices):
    raise errors.InputError(f"`devices` must differ. Received: {devices}")
  if distribution == "none" and len(devices) > 1:
    raise errors.InputError(f"Several `devices` need distribution=mirrored. Received: {devices}")
  if not devices and distribution == "none":
    return Devices([])
  cpus = sum(device.startswith("cpu") for device in devices)
  if cpus > 1:
    try:
      jax.config.update("jax_num_cpu_devices", cpus)
    except RuntimeError as error:
      if len(jax.devices("cpu")) < cpus:
        raise errors.InputError(
            f"`devices` of several CPUs must be made first. Received: {error}"
        ) from error
  there = keras.distribution.list_devices()
  missing = [device for device in devices if device not in there]
  if missing:
    raise errors.InputError(f"`devices` must be among {there}. Received: {missing}")
  return Devices(devices or there)


def devices_of(strategy):
  """int, how many devices share a batch."""
  return strategy.devices


def make_workers(devices, step_seconds):
  """Refuses several processes.

  Raises:
    InputError: In any case.
  """
  raise errors.InputError("distribution=multi_worker needs KERAS_BACKEND=tensorflow. Received: jax")


def held_scope(strategy):
  """Where to make what lies on each device."""
  return strategy.scope()


def share(strategy=None):
  """(0, 1): this process is alone; see `workers_on_tensorflow.share`."""
  del strategy
  return 0, 1


def agree(value):
  """Does nothing: there is one process."""


def beat():
  """Does nothing: nobody watches one process."""


def together(strategy):
  """A context of nothing: there is one process."""
  return contextlib.nullcontext()


def peak_device_bytes():
  """The most memory of an accelerator that this process has held; as on TensorFlow."""
  stats = [device.memory_stats() for device in jax.local_devices() if device.platform != "cpu"]
  return max((one["peak_bytes_in_use"] for one in stats if one), default=None)


def make_deterministic(seed):
  """Makes every operation give the same bits in every run, if nothing has been computed yet.

  Whatever is drawn is a function of a run's own seeds. (Keras' `set_random_seed` would import
  TensorFlow where it is installed.)
  """
  del seed
  flags = os.environ.get("XLA_FLAGS", "")
  os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true"  # Read at the first array.


def check_compile(settings):
  """Refuses nothing."""


def shorten_first_step():
  """Does nothing: XLA has no such pass to leave out."""
