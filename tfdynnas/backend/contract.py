"""What training and search need from a backend."""

import contextlib

from tfdynnas import errors


class Backend:
  """The differences between backends; the defaults suit one process on one device.

  Attributes:
    name: str, as Keras calls it.
    jit_compile: Default of `jit_compile` in `compile`.
  """

  name = ""
  jit_compile = "auto"

  def train_step(self, method, supernet, *args):
    """Runs `method.step(supernet, batch)` as Keras' trainer on this backend needs it.

    Args:
      method: methods.Method.
      supernet: supernet.Supernet, compiled.
      *args: What Keras' trainer on this backend passes to `train_step`.

    Returns:
      What Keras' trainer takes from `train_step`.
    """
    raise NotImplementedError

  def differentiate(self, supernet, images, labels, paths, factors, distils):
    """Gradients of a step's paths on this replica's images.

    Args:
      supernet: supernet.Supernet, compiled.
      images: float [batch, height, width, 3].
      labels: int32 [batch].
      paths: int32 [paths, decisions].
      factors: float32 [paths], weight of each path's loss; None for one path.
      distils: Whether later paths learn from the first path's logits, not from the labels.

    Returns:
      (gradients, loss, logits): one tensor per trainable weight, summed over the paths; the mean
      loss per image and path, without the paths' weights; float32 [paths * batch, classes].
    """
    raise NotImplementedError

  def filled(self, gradients, variables):
    """Gradients with zeros for weights that a step did not use, where a backend gives None.

    Args:
      gradients: Sequence of tensors or None.
      variables: Sequence of keras.Variable.

    Returns:
      List of tensors; the gradients as they are, where a compiled switch already gives zeros.
    """
    del variables
    return gradients

  def path_gradient(self, supernet, images, labels, arch):
    """Gradient of the mean loss of one arch, without clipping and weight decay.

    Args:
      supernet: supernet.Supernet.
      images: float32 [batch, height, width, 3], normalised.
      labels: int32 [batch].
      arch: int32 [decisions].

    Returns:
      List of float32 tensors, one per trainable weight and of its shape; 0 off the path.
    """
    raise NotImplementedError

  def compiled(self, function, variables):
    """Compiles a function of tensors; it is traced once per shape of its arguments.

    Args:
      function: Callable; it may read variables, and sees their values at each call.
      variables: Variables that it reads.

    Returns:
      Callable with the same arguments.
    """
    raise NotImplementedError

  def runner(self, model, every):
    """How the training loop runs steps.

    Args:
      model: keras.Model, compiled and built with its optimizer and metrics.
      every: int; at multiples of so many steps, callbacks save the state of exactly that step.

    Returns:
      Callable (steps, epoch, epochs, steps_per_epoch, callbacks) that runs what `batches` gave.
    """
    raise NotImplementedError

  def batches(self, feed):
    """Source of the training loop's batches: a method of data.feeds.TrainingFeed."""
    raise NotImplementedError

  def known(self, value):
    """The value of a tensor, unless a step that is being compiled computes it.

    Args:
      value: Number, array, variable or tensor.

    Returns:
      numpy array, or None.
    """
    raise NotImplementedError

  def replicas(self):
    """Number of replicas, int: Keras divides the loss by it, so that gradients may be summed."""
    return 1

  def make_strategy(self, distribution, devices):
    """The devices of a run.

    Args:
      distribution: `none` or `mirrored`.
      devices: Names such as `GPU:0`; named CPUs are made, if the backend has not started yet. Empty
        stands for the first device, or for all with `mirrored`.

    Returns:
      An object with `scope()` and `num_replicas_in_sync`.

    Raises:
      InputError: A device is missing or named twice, or there are several without `mirrored`.
    """
    raise NotImplementedError

  def make_deterministic(self, seed):
    """Makes every operation give the same bits in every run."""
    raise NotImplementedError

  def devices_of(self, strategy):
    """Number of devices that share a batch, int."""
    return strategy.num_replicas_in_sync

  def make_workers(self, devices, step_seconds):
    """Joins the processes that train together.

    Raises:
      InputError: This backend trains in one process.
    """
    raise errors.InputError(
        f"distribution=multi_worker needs KERAS_BACKEND=tensorflow. Received: {self.name}"
    )

  def scope_of(self, model):
    """The scope of the devices that a model was made on."""
    del model
    return contextlib.nullcontext()

  def held_scope(self, strategy):
    """The scope for variables that lie on each device."""
    return strategy.scope()

  def share(self, strategy=None):
    """(index, count) of this process among those that train together."""
    del strategy
    return 0, 1

  def agree(self, value):
    """Waits for the other processes, and checks that all have the same value."""

  def beat(self):
    """Reports progress to the watch for hung processes."""

  def together(self, strategy):
    """A context that reports in one line if another process is lost."""
    del strategy
    return contextlib.nullcontext()

  def timed(self, steps):
    """(steps, callable): the steps, and the seconds that their reader has waited for them."""
    return steps, lambda: 0.0

  def boards(self, folder):
    """List of callbacks that write TensorBoard events."""
    del folder
    return []

  def check_compile(self, settings):
    """Raises InputError for keyword arguments of `compile` that hang or fail here."""

  def shorten_first_step(self):
    """Leaves out compiler passes that cost more at the start than they save later."""

  def peak_device_bytes(self):
    """Most bytes that this process has held on one accelerator, int; None on a CPU."""
    return None
