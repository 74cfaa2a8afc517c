"""The probe of a run's training."""

import functools

from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.search import scorer
from tfdynnas.training import recipe
from tfdynnas.training.probes import probe

_BATCH = 256  # Images per batch of a score.


def make_probe(config, supernet_config, data, space):
  """The probe of a training; call it outside the strategy's scope, since it runs on one device.

  Args:
    config: config.ProbeConfig.
    supernet_config: config.SupernetConfig.
    data: data.Data.
    space: spaces.Space.

  Returns:
    training.probes.Probe, or None if the config asks for none.
  """
  if not config.probe_epochs:
    return None
  seed = supernet_config.seed
  network = recipe.make_network(supernet_config, space, name="probe")
  prepare = functools.partial(augment.eval_images, mean=data.mean, std=data.std)
  valid = feeds.valid_batches(data, config.probe_images, _BATCH, seed)
  train = feeds.drawn(data.train, supernet_config.batch, seed)
  return probe.Probe(
      config.probe_epochs, network, scorer.Scorer(network, valid, prepare),
      prepare(train.images), train.labels, config.probe_archs, seed,
  )
