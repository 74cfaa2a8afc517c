"""What tools/benchmark.py --part=curves measures: cost of a step as layers, choices, groups and
replicas grow, each against what it should be."""

import keras
import numpy as np
import tensorflow as tf

from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas import training
from tfdynnas.tools import timing
from tfdynnas.training import on_tensorflow

BATCH, SIZE, CHANNELS = 64, 16, 16
# Of each curve: where it is measured, and what time and memory should be.
CURVES = {
    "layers": ((6, 12, 18, 24), "linear", "linear"),
    "choices per layer": ((6, 12, 24, 48), "flat", "linear"),
    "groups": ((1, 2, 4, 8), "flat", "linear"),
    "replicas": ((1, 2), "flat", "linear"),
}
_PLAIN = {"layers": 6, "choices per layer": 6, "groups": 6, "replicas": 1}


def start():
  """Makes two logical CPUs, before TensorFlow starts; the work stays that of one machine."""
  on_tensorflow.make_strategy("mirrored", ["CPU:0", "CPU:1"])
  on_tensorflow.shorten_first_step()


def measure(blocks):
  """Measures every curve; off-path weights are frozen, so that a step does what it trains.

  Args:
    blocks: int >= 1, interleaved blocks.

  Yields:
    Lines of text.
  """
  yield (f"MobileNet blocks, {CHANNELS} channels, {SIZE}x{SIZE}, batch {BATCH} in all, CaLR and "
         f"MS, off-path frozen; {blocks} interleaved blocks; median [quartiles]")
  for name, (places, time, memory) in CURVES.items():
    steps = {place: _step(**_named({**_PLAIN, name: place})) for place in places}
    seconds = timing.interleave(steps, blocks)
    for place in places:
      over = timing.spread(seconds[place] / seconds[places[0]])
      yield f"{name} {place}: time {over} of the first, {_bytes(steps[place]):,} bytes of variables"
    medians = [np.median(seconds[place]) for place in places]
    sizes = [_bytes(steps[place]) for place in places]
    yield (f"{name}: time should be {time}, is {off(places, medians, time):.1%} off at most; "
           f"memory should be {memory}, is {off(places, sizes, memory):.1%} off at most")


def off(places, values, shape):
  """How far a curve is from its shape at most, as a share of the curve.

  Args:
    places: Sequence of numbers, where it was measured.
    values: Sequence of numbers > 0, what was measured.
    shape: `flat`: the first value; `linear`: the line of least squares.

  Returns:
    float >= 0.
  """
  values = np.array(values, np.float64)
  wanted = np.full(len(values), values[0])
  if shape == "linear":
    wanted = np.polyval(np.polyfit(places, values, 1), places)
  return float(np.max(np.abs(values / wanted - 1)))


def _named(values):
  """Arguments of `_step`."""
  return {name.partition(" ")[0]: value for name, value in values.items()}


def _space(layers, choices):
  """Layers of one shape, each with as many blocks, copies of six."""
  kinds = [spaces.Block(f"mb{e}_{w}x{w}_{copy}", e, w)
           for copy in range(choices // 6) for e in (3, 6) for w in (3, 5, 7)]
  skeleton = spaces.LayerSkeleton(
      (spaces.Stage(CHANNELS, layers),), stem=CHANNELS, stem_stride=1, first=CHANNELS, last=64,
      image_size=SIZE, classes=10,
  )
  return spaces.layer_space("curve", kinds, skeleton)


def _step(layers, choices, groups, replicas):
  """A training step of a supernet of one stage, the same paths whatever the number of choices."""
  space = _space(layers, choices)
  strategy = on_tensorflow.make_strategy(*(
      ("mirrored", ["CPU:0", "CPU:1"]) if replicas == 2 else ("none", ["CPU:0"])
  ))
  rng = np.random.default_rng(0)
  with strategy.scope():
    supernet = supernet_lib.Supernet(space)
    schedule = training.CaLR(0.025, 10**6, *space.bounds("complexity"))
    optimizer = training.MS(schedule, groups=groups, off_path="frozen")
    method = training.SinglePath(space, split_decision=0)
    method.group = lambda arch: arch[0] % groups
    path = tf.constant([[place % 6 for place in range(layers)]], tf.int32)
    method.sampler = lambda step: path
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    supernet.compile(optimizer, loss, method=method, jit_compile=False)
    optimizer.build(supernet.trainable_variables)
  images = tf.constant(rng.normal(size=(BATCH, SIZE, SIZE, 3)), tf.float32)
  labels = tf.constant(rng.integers(0, 10, BATCH), tf.int32)
  parts = [slice(n * BATCH // replicas, (n + 1) * BATCH // replicas) for n in range(replicas)]
  batch = strategy.experimental_distribute_values_from_function(
      lambda context: (images[parts[context.replica_id_in_sync_group]],
                       labels[parts[context.replica_id_in_sync_group]]))

  @tf.function(autograph=False)
  def step():
    return strategy.run(lambda own: on_tensorflow.train_step(method, supernet, own)["loss"],
                        args=(batch,))

  def run():
    return strategy.experimental_local_results(step())

  run.weights = [*supernet.variables, *optimizer.variables]
  run.replicas = replicas
  return run


def _bytes(run):
  """Bytes of weights and momentum, of all replicas together."""
  return run.replicas * sum(
      int(np.prod(v.shape)) * (4 if v.dtype != "int64" else 8) for v in run.weights
  )
