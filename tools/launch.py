"""The basis of all launchers: flags from configs, presets, one line and a status for bad input."""

import csv
import dataclasses
import gc
import importlib.util
import io
import os
import pathlib
import shlex
import sys

from absl import app
from absl import flags
from absl import logging

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas.config import option
from tfdynnas.files import text as text_lib
from tfdynnas.tools import console
from tfdynnas.tools import flagfile
from tfdynnas.tools import machine
from tfdynnas.tools import signals

BACKENDS = ("tensorflow", "jax")
_fields = {}  # Name -> field, of the fields that are flags.
_typed = set()  # Names of the flags given on the command line, not in a flagfile.
_used = set()  # Names of the fields that the launcher uses, or compares with those of the run.
_LONGEST_NAME = 100  # Of a flag; absl searches for similar names by recursion.
DEFINE = {
    bool: flags.DEFINE_bool, int: flags.DEFINE_integer, float: flags.DEFINE_float,
    str: flags.DEFINE_string, tuple: flags.DEFINE_list,
}

RUN = {
    "data": config_lib.DataConfig, "space": config_lib.SpaceConfig,
    "supernet": config_lib.SupernetConfig,
}
CONFIGS = (
    *RUN.values(), config_lib.FewShotConfig, config_lib.DeviceConfig, config_lib.SearchConfig,
    config_lib.SubnetConfig, config_lib.ExportConfig, config_lib.ProbeConfig,
    config_lib.BaselineConfig,
)
APART = (  # Outside the chain that tools/nas.py runs.
    config_lib.RankConfig, config_lib.SplitConfig,
)


def define(module, *configs, in_run=True):
  """Defines the flags of a launcher: one per field of a config, checked against its bounds.

  Presets serve all launchers, so each knows the flags of the others too; --help lists its own.

  Args:
    module: `__name__` of the launcher.
    *configs: Classes of config.Config whose flags are the launcher's own.
    in_run: Whether the launcher works in a run directory.
  """
  module = sys.argv[0] if module == "__main__" else module  # absl's name for a script.
  if in_run:
    flags.DEFINE_string("run_dir", "", "Folder of the run; each job adds to it.",
                        module_name=module)
    flags.DEFINE_bool("show_progress", True, "Show how far it is, on stderr.", module_name=module)
  own = {field.name for config in configs for field in dataclasses.fields(config)}
  # Some configs share fields; the launcher's own come last and win.
  known = {f.name: f for c in (*CONFIGS, *APART, *configs) for f in dataclasses.fields(c)}
  _fields.update(known)
  of_run = (*RUN.values(), config_lib.FewShotConfig)
  compared = of_run if in_run and config_lib.SupernetConfig not in configs else ()
  _used.update(own, (field.name for config in compared for field in dataclasses.fields(config)))
  for name, field in known.items():
    _define_field(field, module if name in own else __name__)


def _define_field(field, module):
  kind, usual = option.kind(field), field.metadata["default"]
  default = list(field.default) if isinstance(field.default, tuple) else field.default
  choices, rules = field.metadata["choices"], field.metadata["rules"]
  help_text = field.metadata["help"] + (f" One of {', '.join(choices)}." if choices else "")
  if rules:
    usual = ",".join(usual) if kind is tuple else usual
    needs = f" Needs {', and '.join(rule.text for rule in rules)}"
    help_text += needs + ("." if usual is None else f"; then by default {usual}.")
  DEFINE[kind](field.name, default, help_text, module_name=module)
  flags.register_validator(field.name, _Bounds(field))


def run_dir():
  """The value of --run_dir.

  Raises:
    InputError: It was not given.
  """
  if not flags.FLAGS.run_dir:
    raise errors.InputError("Give --run_dir=FOLDER. Received: none")
  return flags.FLAGS.run_dir


class _Bounds:
  """Validator of one flag."""

  def __init__(self, field):
    self._field = field

  def __call__(self, value):
    wrong = option.problem(self._field, _frozen(value))
    if wrong:
      raise flags.ValidationError(wrong)
    return True


def make(config, stored=None):
  """The config that the flags set.

  A flag that does not apply beside the others is refused on the command line, and ignored in a
  flagfile: presets serve several tools, and later flags change their settings.

  Args:
    config: Class of config.Config.
    stored: dict of fields, the values of flags that were not given; None: their defaults.
  """
  kept = {name: value for name, value in (stored or {}).items() if not flags.FLAGS[name].present}
  values, there = {}, {**_values(), **kept}
  for field in dataclasses.fields(config):
    values[field.name] = value = there[field.name]
    wrong = value is not None and option.idle(field, there)
    if wrong and field.name in _typed:
      raise errors.InputError(wrong)
    if wrong:
      values[field.name] = None
  return config(**values)


def _values():
  """dict, name -> value of the flags that are fields of a config, as a config holds them."""
  return {name: option.formed(field, _frozen(flags.FLAGS[name].value))
          for name, field in _fields.items()}


def _frozen(value):
  """The value of a flag in the type that configs use."""
  return tuple(value) if isinstance(value, list) else value


def few_shot_flags():
  """Names of the given flags of few-shot training; any one asks for it."""
  names = [field.name for field in dataclasses.fields(config_lib.FewShotConfig)]
  return [name for name in names if flags.FLAGS[name].present]


def refuse_workers():
  """Refuses training by several processes in a tool that runs other jobs too.

  Raises:
    InputError: --distribution=multi_worker was given.
  """
  if flags.FLAGS.distribution == "multi_worker":
    raise errors.InputError(
        "distribution=multi_worker is of tools/train_supernet.py. Received: another tool"
    )


def check_same(there, own=()):
  """Refuses flags that differ from the settings of the existing run.

  Args:
    there: dict, the run's config: data, space, supernet, and few_shot if it is in parts.
    own: Names of flags that the tool uses itself, whatever the run's settings are.

  Raises:
    InputError: A flag of its data, space, supernet or parts was given with another value.
  """
  for part, config in RUN.items():
    stored = vars(config.from_dict(there[part]))  # An older run lacks some settings.
    for field in dataclasses.fields(config):
      wrong = option.idle(field, stored)
      if flags.FLAGS[field.name].present and field.name not in own and not wrong:
        _check_flag(field.name, _values()[field.name], stored[field.name])
      elif wrong and field.name in _typed:
        raise errors.InputError(wrong)
  _check_parts(there)


def _check_flag(name, value, stored):
  flag = flags.FLAGS[name]
  if flag.present and value != stored:
    raise errors.InputError(
        f"--{name} must be that of the run, {stored!r}. Received: {flag.value!r}"
    )


def _check_parts(there):
  """Refuses flags of other parts; `init_from` is not compared, since a run has its hash alone."""
  given, stored = few_shot_flags(), there.get("few_shot")
  if given and not stored:
    raise errors.InputError(f"--{given[0]} needs a run in parts. Received: one of one supernet")
  if given:
    from tfdynnas import spaces
    from tfdynnas.jobs import setup
    decision, groups = stored["few_shot_decision"], flags.FLAGS["few_shot_groups"].value or ""
    parts = spaces.make_parts(setup.stored_space(there), decision, groups)
    _check_flag("few_shot_decision", flags.FLAGS["few_shot_decision"].value, decision)
    _check_flag("few_shot_groups", parts.format(), stored["few_shot_groups"])


def text():
  """The given flags of all jobs, as the text of a flagfile that repeats them.

  Raises:
    InputError: A flag has a line break, which a flagfile cannot hold.
  """
  fields = [field for config in (*CONFIGS, *APART) for field in dataclasses.fields(config)]
  given = [flags.FLAGS[name] for name in dict.fromkeys(field.name for field in fields)]
  lines = [flag.serialize() for flag in given if flag.present]
  broken = [line for line in lines if len(line.splitlines()) > 1]
  if broken:
    raise errors.InputError(f"A flag must be of one line. Received: {broken[0]!r}")
  return "".join(f"{line}\n" for line in lines)


def start(module, main):
  """Runs a launcher: exit status 2 for bad input, 1 for a failure on the way.

  Args:
    module: `__name__` of the launcher.
    main: Function without arguments, called after flags are parsed.
  """
  console.open_streams()
  signals.watch()
  for flag in flags.FLAGS.get_key_flags_for_module(module):
    flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
  os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
  app.run(lambda arguments: _run(main, arguments), flags_parser=_parse)


def import_quietly(*packages, backends=BACKENDS):
  """Imports the back end without TensorFlow's start-up lines, which no setting stops and which
  would bury an error.

  Args:
    *packages: Import names of the packages that the tool needs beside the back end.
    backends: Back ends that the tool runs on.

  Raises:
    InputError: KERAS_BACKEND is none of them, or a check of `machine` fails.
    ModuleNotFoundError: A package is not installed.
  """
  for package in (*packages, *(backends if len(backends) == 1 else ())):
    if importlib.util.find_spec(package) is None:
      raise ModuleNotFoundError(name=package)
  _check_backend(os.environ.get("KERAS_BACKEND") or backends[0], backends)
  machine.check()
  try:
    with console.silenced(), signals.at_once():
      backend = machine.import_keras()
    gc.freeze()  # Else collections scan TensorFlow's objects again and again: 6 % of a start.
  except ModuleNotFoundError as error:
    if error.name not in backends:
      raise
    raise errors.InputError(
        f"KERAS_BACKEND must be installed, {' or '.join(backends)}. Received: {error.name}, "
        "which is not"
    ) from error
  _check_backend(backend, backends)  # keras.json may set another.


def _check_backend(backend, backends):
  if backend not in backends:
    raise errors.InputError(f"KERAS_BACKEND must be {' or '.join(backends)}. Received: {backend}")


def _run(main, arguments):
  try:
    if len(arguments) > 1:
      raise errors.InputError(f"Flags begin with --. Received: {' '.join(arguments[1:])}")
    with signals.raised():
      main()
    console.flush()  # Here, where a full disk gives one line.
  except errors.InputError as error:
    _fail(error, 2)
  except (errors.DivergedError, OSError) as error:
    _fail(error, 1)
  except MemoryError as error:
    _fail(f"Out of memory. {error}", 1)
  except ModuleNotFoundError as error:
    if str(error.name).startswith("tfdynnas"):
      raise
    _fail(f"Needs the package {error.name}. Received: it is not installed", 2)
  except ImportError as error:  # Such as too little address space for a library.
    if str(error.name).startswith("tfdynnas"):
      raise
    _fail(f"A package cannot be loaded. {error}", 1)
  except Exception as error:  # Back ends have their own errors of a full disk or memory.
    own = type(error).__module__.startswith("tensorflow")
    if not own and type(error).__name__ != "JaxRuntimeError" and not signals.received():
      raise
    _fail(_cause(error), 1)
  except KeyboardInterrupt:
    _fail("Interrupted.", 130)


def _cause(error):
  """The line with the cause; TensorFlow's errors of a step begin with the place instead."""
  lines = [line for line in str(error).splitlines() if line.strip() and not line[0].isspace()]
  where = ("Graph execution error", "Detected at node", "<stack traces")
  return next((line for line in lines if not line.startswith(where)), str(error))


def _parse(arguments):
  try:
    given = flagfile.expand(arguments[1:])
    _typed.update(_named(argument) for argument in arguments[1:])
    _check_text(given)
    rest = flags.FLAGS(arguments[:1] + given)
    _check_used()
    if not flags.FLAGS["verbosity"].present:
      logging.set_verbosity(logging.ERROR)  # TensorFlow and tfds warn beside our one line.
    return rest
  except (flags.Error, ValueError) as error:  # absl raises ValueError for --noNAME=VALUE.
    _fail(error, 2)
  except SystemExit:  # absl exits with status 1 after printing help.
    sys.exit(0)


def _check_used():
  """Refuses typed flags of other launchers; a flagfile may hold them, since presets serve all."""
  for name in sorted(_typed & _fields.keys() - _used):
    raise flags.Error(
        f"--{name} belongs to another tool: here only a flagfile may hold it. "
        f"Received: --{name}={flags.FLAGS[name].value}"
    )


def _named(argument):
  """Name of the flag that an argument sets."""
  name = argument.lstrip("-").partition("=")[0]
  return name if name in flags.FLAGS else name.removeprefix("no")


def _check_text(arguments):
  """Refuses arguments that cannot be in a file or be a file's name, and overlong flag names."""
  for argument in arguments:
    wrong = text_lib.problem(argument)
    if wrong:
      raise flags.Error(f"Arguments must be {wrong}. Received: {argument!r:.100}")
    if argument.startswith("-") and len(argument.partition("=")[0]) > _LONGEST_NAME:
      raise flags.Error(f"Unknown command line flag. Received: {argument:.100}")


def _fail(error, status):
  line, status = signals.received() or (" ".join(str(error).split()), status)
  console.say(f"{pathlib.Path(sys.argv[0]).name}: {line}")
  console.silence(2)  # TensorFlow's threads complain when Python ends.
  try:
    console.flush()
  except OSError:
    console.silence(1)  # Else Python reports it once more, with another status.
  sys.exit(status)


def tell(line):
  """Prints a line before a job begins, unless it is empty."""
  if line:
    print(line)
    console.flush()


def serve_command(servable):
  """The shell command that serves a version's folder with TensorFlow Serving."""
  folder, mount = pathlib.Path(servable).resolve().parent, io.StringIO()
  # Not -v, which splits at colons; the value of --mount is a line of CSV.
  csv.writer(mount, lineterminator="").writerow(
      ["type=bind", f"source={folder}", f"target=/models/{folder.name}", "readonly"])
  return shlex.join([
      "docker", "run", "--rm", "-p", "8501:8501", "--mount", mount.getvalue(),
      "-e", f"MODEL_NAME={folder.name}", "tensorflow/serving",
  ])
