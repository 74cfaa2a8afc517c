"""A job beside the chain: rank archs by the supernet of a run, and measure the ranking."""

import numpy as np

from tfdynnas import analysis
from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.backend import current
from tfdynnas.files import csv_file
from tfdynnas.jobs import archs as archs_lib
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import score_log
from tfdynnas.jobs import scoring
from tfdynnas.jobs import setup
from tfdynnas.jobs import trained
from tfdynnas.jobs import truth as truth_lib
from tfdynnas.training import loop

COLUMNS = ("index", "string", "accuracy", "balanced_accuracy", "loss", "truth", *spaces.COSTS)
OURS = {
    "cb": "this project's: tau-b(complexity, truth) - tau-b(complexity, score); positive: complex "
          "archs are under-rated",
    "cb_rank": "this project's: rank by score less rank by truth, in [0, 1], mean of the most "
               "complex third less that of the least complex; negative: complex archs are "
               "under-rated",
    "c3": "this project's: Spearman's rho of complexity and (score - chance) / (truth - chance); "
          "negative: complex archs are less converged",
}


def run_rank(
    run_dir, config, progress=loop.silent, recipe=config_lib.SubnetConfig(),
    checkpoint_steps=1000, train_progress=loop.silent, exact=False,
):
  """Scores archs, or resumes; writes `rank/ranking.csv` and `rank/statistics.json`.

  Args:
    run_dir: RunDir whose supernet is trained.
    config: config.RankConfig.
    progress: Callable (done, total, **values), called after each arch scored.
    recipe: config.SubnetConfig for archs trained on their own, if the config asks for them.
    checkpoint_steps: Steps between checkpoints of those trainings.
    train_progress: Callable (step, steps, **logs), steps of all those trainings.
    exact: bool, give the same bits in every run.

  Returns:
    dict, the content of `rank/statistics.json`: `truth` (None: there is none), the archs and
    settings, and the numbers of analysis.statistics.

  Raises:
    InputError: No supernet, no such archs or truth, or scores of another supernet or settings.
    DivergedError: The loss of a training is no longer a number.
  """
  table = _prepare(run_dir, config, recipe, exact)
  made = setup.reload(run_dir)
  trained.check_trained(run_dir)
  archs = archs_lib.listed(setup.narrowed(made.space, config), config, table)
  truth, source = _looked_up(run_dir, config, made.space, archs, table)
  scores = _score(run_dir, config, made, archs, progress)
  if config.standalone:
    truth[:config.standalone], source = truth_lib.trained(
        run_dir, recipe, made, archs[:config.standalone], checkpoint_steps, train_progress)
  rows = [_row(made.space, *each) for each in zip(archs, scores, truth)]
  found = _described(run_dir, config, archs, source)
  if source:
    found.update(_statistics(rows, truth, source, made.space, config))
  csv_file.write(run_dir.path / "rank" / "ranking.csv", COLUMNS, rows)
  run_dir.write_json("rank/statistics.json", found)
  return found


def _prepare(run_dir, config, recipe, exact):
  """Checks and settings before all else; returns the analysis.Table of the config, or None."""
  run_directory.check_folder(run_dir.path / "rank")
  if config.standalone:
    truth_lib.check_recipe(recipe)
  if exact:
    current.make_deterministic(recipe.subnet_seed)
  return analysis.load_table(config.table) if config.table else None


def _looked_up(run_dir, config, space, archs, table):
  """(truth, source): float64 [archs], percent, NaN where unknown; None without a table."""
  if config.standalone and config.standalone > len(archs):
    raise errors.InputError(
        f"`standalone` must be <= {len(archs)}, the archs. Received: {config.standalone}"
    )
  if not table:
    return np.full(len(archs), np.nan), None
  indices = [space.index(arch) for arch in archs]
  truth, source = truth_lib.from_table(
      table, config, space, indices, setup.dataset_name(run_dir.config()))
  known = int(np.sum(np.isfinite(truth)))
  if known < 2:
    raise errors.InputError(f"A ranking needs >= 2 archs with a truth. Received: {known}")
  return truth, source


def _described(run_dir, config, archs, source):
  """The archs, their truth and the settings, as JSON values."""
  return {
      "ranked": {"archs": archs_lib.text(config), "count": len(archs), "seed": config.rank_seed,
                 **({"fix": config.fix} if config.fix else {})},
      "truth": source, "supernet": scoring.weights_digest(run_dir),
      "scored": scoring.fingerprint(config), "objective": config.objective,
  }


def _score(run_dir, config, made, archs, progress):
  """List of scores, one per arch; only missing ones are made."""
  supernet_config, data, space = made
  identity = {**scoring.fingerprint(config), "supernet": scoring.weights_digest(run_dir)}
  log = score_log.ScoreLog(run_dir.path / "rank" / "scores.jsonl", identity, space.size)
  indices = [space.index(arch) for arch in archs]
  log.forget_without(config.objective)
  left = [place for place, index in enumerate(indices) if index not in log.scores]
  # Shuffled: the first predict the time of the rest, and any prefix is a sample of all.
  left = np.random.default_rng(config.rank_seed).permutation(np.array(left, np.int64))
  same = _same_network(run_dir, space)
  known = {same(space.arch(index)): score for index, score in log.scores.items()}
  try:
    if len(left):
      scorer = scoring.make_scorer(run_dir, supernet_config, data, space, config)
    for number, place in enumerate(left, len(archs) - len(left) + 1):
      network = same(archs[place])
      if network not in known:
        known[network] = scorer(archs[place])
      log.add(indices[place], known[network])
      progress(number, len(archs), accuracy=known[network]["accuracy"])
  finally:
    log.close()
  return [log.scores[index] for index in indices]


def _same_network(run_dir, space):
  """Function of an arch; equal values mean equal networks with equal weights.

  Edges that do not change the logits are not run: of NAS-Bench-201's 15 625 archs 9 445 differ.
  Such an edge may still select the part of a few-shot supernet.
  """
  few_shot = run_dir.config().get("few_shot")
  split = few_shot["few_shot_decision"] if few_shot else None

  def same(arch):
    live = space.live(arch)
    return tuple(choice if live[place] or place == split else None
                 for place, choice in enumerate(arch))

  return same


def _row(space, arch, score, truth):
  costs = {kind: space.cost(arch, kind) for kind in spaces.COSTS}
  return {
      "index": space.index(arch), "string": space.format(arch), **score,
      "truth": float(truth) if np.isfinite(truth) else None, **costs,
  }


def _statistics(rows, truth, source, space, config):
  scores = [100 * row[config.objective] for row in rows]
  costs = {kind: [row[kind] for row in rows] for kind in spaces.COSTS}
  chance = np.nan if source["chance"] is None else source["chance"]
  chances = 100 / space.skeleton.classes, chance
  resamples = 1000 if len(rows) <= 2000 else 200  # Thousands of archs take minutes.
  found = analysis.statistics(scores, truth, costs, chances, config.rank_seed, resamples)
  return {**found, "definitions": OURS}
