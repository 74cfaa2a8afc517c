"""The decision of a trained supernet to cut in two, for a few-shot run that begins with it."""

import functools

import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.backend import current
from tfdynnas.jobs import setup
from tfdynnas.jobs import supernet as supernet_job
from tfdynnas.jobs import trained
from tfdynnas.search import partition_by_gradient


def run_split(run_dir, config, progress=None):
  """Finds the cut from the gradients of the supernet; writes `split.json`.

  Args:
    run_dir: RunDir whose supernet is trained to its end, for as little as an epoch.
    config: config.SplitConfig.
    progress: Callable (paths done, paths), called after each path.

  Returns:
    dict: `flags` for tools/train_few_shot.py; `decisions`, the best to cut first, for each a dict
    of its number, name, groups, `score` (the distances across the groups), `within` (those inside
    them), and all `distances`.

  Raises:
    InputError: There is no trained supernet, or it is in parts already.
  """
  if run_dir.config().get("few_shot"):
    raise errors.InputError(f"{run_dir.path} must hold one supernet. Received: one in parts")
  supernet_config, data, space = setup.reload(run_dir)
  supernet = trained.load_supernet(run_dir, supernet_config, space)
  feed = supernet_job.make_feed(data, supernet_config)
  with feed.reading():
    distances = partition_by_gradient.mean_distances(
        _gradient(supernet), space, supernet.row_decisions(),
        feed.prepared(0, config.gradient_paths), supernet_config.seed,
        progress and (lambda done: progress(done, config.gradient_paths)),
    )
  several = [decision for decision, own in enumerate(space.allowed) if len(own) > 1]
  if not several:
    raise errors.InputError(f"{run_dir.path} must have a decision to cut. Received: one arch")
  rows = [_row(space, decision, distances[decision]) for decision in several]
  rows.sort(key=lambda row: -row["score"])
  flags = [
      f"--few_shot_decision={rows[0]['decision']}", f"--few_shot_groups={rows[0]['groups']}"
  ]
  found = {"flags": flags, "gradient_paths": config.gradient_paths, "decisions": rows}
  run_dir.write_json("split.json", found)
  return found


def _gradient(supernet):
  """Callable (images, labels, arch) -> list of arrays: one compiled function for all archs."""
  run = current.compiled(
      functools.partial(current.path_gradient, supernet), supernet.trainable_variables
  )

  def gradient(images, labels, arch):
    chosen = ops.convert_to_tensor(np.array(arch, np.int32))
    return [ops.convert_to_numpy(part) for part in run(images, labels, chosen)]

  return gradient


def _row(space, decision, distances):
  """The result for one decision."""
  places, score = partition_by_gradient.best_halves(distances)
  own = space.allowed[decision]
  groups = [[own[place] for place in group] for group in places]
  return {
      "decision": decision, "name": space.decisions[decision].name,
      "groups": spaces.format_groups(groups), "score": score,
      "within": float(distances.sum() / 2 - score), "distances": distances.tolist(),
  }
