"""Checks of the later jobs, made before the supernet is trained."""

import functools

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas.data import order
from tfdynnas.jobs import baselines
from tfdynnas.jobs import export
from tfdynnas.jobs import search
from tfdynnas.jobs import subnet
from tfdynnas.serving import device_files


def later_jobs(run_dir, search_config, subnet_config, export_config,
               baseline_config=config_lib.BaselineConfig()):
  """Makes the `check` of `train_supernet` and `train_few_shot` for the whole chain.

  Args:
    run_dir: RunDir.
    search_config: config.SearchConfig.
    subnet_config: config.SubnetConfig.
    export_config: config.ExportConfig.
    baseline_config: config.BaselineConfig.

  Returns:
    Callable (data.Data, spaces.Space) that raises InputError: limits that no arch meets, a latency
    table of another space, an invalid arch, more steps than can be counted, baselines beside a
    named arch, or an impossible folder for the servable.
  """
  baselines.check(baseline_config, subnet_config)
  if export_config.inherited:
    raise errors.InputError(
        "`inherited` exports a network that is not trained on its own, with tools/export.py. "
        "Received: inherited=True, and a training of the network"
    )
  device_files.names(export_config.format, export_config.quantize)
  return functools.partial(_check, run_dir, search_config, subnet_config, export_config)


def _check(run_dir, search_config, subnet_config, export_config, data, space):
  search.limited(space, search_config)
  subnet.folder_of(space, subnet_config.arch)
  order.total_steps(data.train.size, subnet_config.subnet_batch, subnet_config.subnet_epochs)
  export.folder_of(run_dir, export_config)
