"""What the back end in use brings: one file each, and nothing else branches on it."""

import keras

from tfdynnas import errors

if keras.backend.backend() == "tensorflow":
  from tfdynnas.training import on_tensorflow as here
elif keras.backend.backend() == "jax":
  from tfdynnas.training import on_jax as here
else:
  raise errors.InputError(
      f"KERAS_BACKEND must be tensorflow or jax. Received: {keras.backend.backend()}"
  )

JIT_COMPILE = here.JIT_COMPILE
agree = here.agree
batches = here.batches
beat = here.beat
boards = here.boards
check_compile = here.check_compile
compiled = here.compiled
devices_of = here.devices_of
held_scope = here.held_scope
make_deterministic = here.make_deterministic
make_strategy = here.make_strategy
make_workers = here.make_workers
path_gradient = here.path_gradient
peak_device_bytes = here.peak_device_bytes
runner = here.runner
share = here.share
shorten_first_step = here.shorten_first_step
timed = here.timed
together = here.together
train_step = here.train_step
