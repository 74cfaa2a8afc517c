"""What a run keeps of what its jobs were asked, for who goes on with them."""

import pathlib

from tfdynnas import errors
from tfdynnas.config.jobs import SearchConfig
from tfdynnas.files import json_schema


def stored_search(run_dir):
  """What the search of a run was asked last.

  Args:
    run_dir: Path of the run.

  Returns:
    dict, fields of SearchConfig that mean something; {} where no search has begun, or an older
    version began it.

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
  except (errors.InputError, KeyError, TypeError) as error:  # Or of a field of another version.
    raise errors.InputError(f"{path} must hold a search. Received: {error}") from error
  return {name: value for name, value in vars(asked).items() if value is not None}
