"""The report of a run: one self-contained HTML page of the results of its jobs."""

import tempfile

from tfdynnas import analysis
from tfdynnas import class_accuracy
from tfdynnas import config as config_lib
from tfdynnas.files import atomic
from tfdynnas.jobs import setup
from tfdynnas.jobs import trained
from tfdynnas.jobs import truth as truth_lib
from tfdynnas.report import page
from tfdynnas.report import reader as reader_lib
from tfdynnas.report import sections

_HEADINGS = {"data": "Data", "images": "Images", "space": "Space", "supernet": "Supernet",
             "few_shot": "Few-shot", "devices": "Devices", "versions": "Versions"}


def run_report(run_dir, config=config_lib.TruthConfig()):
  """Writes `report.html`; for a missing result the page names the command that makes it.

  Args:
    run_dir: RunDir, claimed.
    config: config.TruthConfig; tau over the training needs a table.

  Returns:
    pathlib.Path of the page.

  Raises:
    InputError: A file of the run is damaged, the table does not fit, or matplotlib is missing.
    OSError: The page cannot be written.
  """
  table = analysis.load_table(config.table) if config.table else None
  stored = run_dir.config()
  space = setup.stored_space(stored)
  reader = reader_lib.Reader(
      run_dir, space, [name for name, _ in trained.trainings(run_dir)]
  )
  with tempfile.TemporaryDirectory() as folder:
    sheet = sections.Sheet(folder)
    parts = [
        ("Summary", _summary(stored, space, reader)),
        ("Training", sections.training(reader, sheet)),
        ("Unfairness: complexity classes while training", sections.classes(reader, sheet)),
        ("Noisy momentum: gradients and the momentum they meet", sections.gradients(reader, sheet)),
        ("Ranking", sections.ranking(reader, sheet, _truth_of(stored, space, table, config))),
        ("Search", sections.search(reader, sheet)),
        ("Networks", sections.networks(reader, sheet, space)),
        ("What the search brought", sections.baselines(reader)),
        ("Settings", [page.row(*_settings(stored))]),
    ]
    title = f"Supernet run {reader.path.resolve().name}"
    text = page.page(title, _lead(stored), parts, _footer(stored))
  path = run_dir.path / "report.html"
  atomic.write_text(path, text)
  return path


def _truth_of(stored, space, table, config):
  """(dict, index -> accuracy in percent; its source), or None without a table."""
  if table is None:
    return None
  truth, source = truth_lib.from_table(
      table, config, space, range(space.size), setup.dataset_name(stored))
  name = f"{source['dataset']} {source['split']}, {source['epochs']} epochs"
  return dict(enumerate(truth.tolist())), name


def _lead(stored):
  # As configs, which give the settings that an older run lacks their defaults.
  space = config_lib.SpaceConfig.from_dict(stored["space"]).as_dict()
  supernet = config_lib.SupernetConfig.from_dict(stored["supernet"]).as_dict()
  return (
      f"{space['space']}, {_depth(space)}, "
      f"on {setup.data_name(stored)}; "
      f"{supernet['epochs']} epochs of {supernet['method']}, schedule {supernet['schedule']}, "
      f"momentum {supernet['momentum_groups']}, seed {supernet['seed']}."
  )


def _depth(space):
  if ":" in space["space"]:
    return "made by a function"
  if not space["cells"]:
    return f"{space['channels']} channels, width {space['width']:g}"
  cells = "1 cell" if space["cells"] == 1 else f"{space['cells']} cells"
  return f"{space['channels']} channels, {cells} a stage"


def _summary(stored, space, reader):
  """The run and its results, in a few lines."""
  images, bounds = stored["images"], space.bounds("params")
  sizes = ", ".join(f"{count:,} {part}" for part, count in images["sizes"].items() if count)
  rows = [
      ("Images", f"{setup.data_name(stored)}: {sizes}; "
                 f"{'x'.join(map(str, images['image_shape']))}, {images['classes']} classes"),
      ("Space", f"{space.count:,} archs of {bounds[0]:,} to {bounds[1]:,} params"),
      *((f"Training{part}", line) for part, line in reader.trainings()),
  ]
  found, ranked = (reader.json(name) for name in (reader_lib.FOUND, reader_lib.RANKED))
  if ranked and ranked.get("tau_b"):
    rows.append(("Ranking", "tau-b " + sections.interval(ranked["tau_b"]) + " on "
                 f"{ranked['count']:,} archs; of params alone "
                 + sections.interval(ranked["tau_b_of_costs"]["params"])))
  if found:
    rows.append(("Found", f"{found['string']}, {found['params']:,} params, "
                 f"{_share(found)} with inherited weights, best of "
                 f"{found['trials']:,}"))
    again = reader.json("search/recalibrated.json")
    if again and again["arch"] == found["arch"]:
      rows.append(("Recalibrated", f"{_share(again)} by running statistics of "
                   f"{again['images']:,} training images, which took {again['seconds']:.1f} s"))
  for result in reader.networks():
    beside = class_accuracy.beside(result, percent=True)
    rows.append(("On its own", f"{result['string']}: {100 * result['accuracy']:.2f} % on "
                 f"{result['part']} images{beside}"))
  return [page.table(rows)]


def _share(found):
  return f"{100 * found['accuracy']:.2f} %{class_accuracy.beside(found, percent=True)}"


def _settings(stored):
  """A table for each section of the config."""
  return [
      page.table([(key, _shown(value)) for key, value in values.items()],
                 heading=_HEADINGS.get(part, part))
      for part, values in stored.items()
  ]


def _shown(value):
  """A value of the config as text: floats in full, since they are exact settings."""
  if isinstance(value, dict):
    return ", ".join(f"{key} {_shown(part)}" for key, part in value.items())
  if isinstance(value, list):
    return ", ".join(_shown(part) for part in value) or "-"
  return "-" if value in ("", None) else str(value)


def _footer(stored):
  versions = stored.get("versions", {})
  return "Made by tools/report.py; run with " + ", ".join(
      f"{name} {version}" for name, version in versions.items()) + "."
