"""Settings that a run keeps of its jobs, to resume them with."""

import pathlib

from tfdynnas import errors
from tfdynnas.config.jobs import SearchConfig
from tfdynnas.files import json_schema


def stored_search(run_dir):
  """The last settings of a run's search.

  Args:
    run_dir: Path of the run.

  Returns:
    dict, the fields of SearchConfig that apply; {} if no search has begun, or an older version
    began it.

  Raises:
    InputError: The file is damaged, or of another version.
  """
  path = pathlib.Path(run_dir) / "search" / "search.json"
  if not path.exists():
    return {}
  stored = json_schema.read(path, {"pareto_costs?": [str]})
  stored = {**stored, "pareto_costs": tuple(stored.get("pareto_costs", ("params",)))}
  try:
    asked = SearchConfig.from_dict(stored)
  except (errors.InputError, KeyError, TypeError) as error:  # Also a field of another version.
    raise errors.InputError(f"{path} must hold a search. Received: {error}") from error
  return {name: value for name, value in vars(asked).items() if value is not None}
