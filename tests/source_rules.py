"""What the source must keep, as functions from one file to the list of its offences."""

import ast
import re
import sys

# Which folders of the package a folder may import; all may import SHARED. BUILD says the same.
INSIDE = {
  "": set(),
  "files": set(),
  "spaces": {"files"},
  "backend": set(),
  "sampling": {"spaces"},
  "optimizers": {"backend"},
  "supernet": {"spaces", "backend"},
  "methods": {"spaces", "backend", "sampling", "optimizers", "supernet"},
  "training": {"files", "backend", "sampling", "optimizers", "supernet", "methods"},
  "search": {"files", "spaces", "backend", "supernet", "training", "data"},
  "analysis": {"files", "spaces"},
  "report": {"files", "training", "analysis"},
  "data": {"files"},
  "serving": {"files", "data", "config"},
  "config": {"files"},
}
# The front door: a class may hand a run directory up to the jobs, which know what one is. Late, so
# that nothing above is imported unless it is asked for.
UPWARD = {"tfdynnas/search/searches.py": "jobs", "tfdynnas/supernet/supernet.py": "jobs"}
INSIDE["jobs"] = {*INSIDE} - {"", "optimizers", "methods"}
INSIDE["tools"] = {*INSIDE, "flags"} - {""}
SHARED = {"__version__", "class_accuracy", "errors", "hashing", "image_size", "made_by",
          "registry"}

# Which packages of others a folder may import, beside the standard library.
OUTSIDE = {
  "": {"numpy", "keras"},
  "files": {"numpy"},
  "spaces": {"numpy"},
  "backend": {"numpy", "keras", "tensorflow", "jax", "torch"},
  "sampling": {"numpy", "keras"},
  "optimizers": {"numpy", "keras"},
  "supernet": {"numpy", "keras"},
  "methods": {"numpy", "keras"},
  "training": {"numpy", "keras"},
  "search": {"numpy", "keras", "absl", "grpc", "keras_tuner"},
  "analysis": {"numpy", "scipy", "matplotlib", "nats_bench"},
  "report": {"jinja2"},
  "data": {"numpy", "keras", "PIL", "sklearn", "tensorflow", "tensorflow_datasets"},
  "serving": {"numpy", "keras", "grpc", "tensorflow", "tensorflow_serving", "ai_edge_litert",
              "onnx", "onnxruntime"},
  "config": set(),
  "jobs": {"numpy", "keras"},
  "tools": {"numpy", "keras", "absl", "rich", "tensorflow"},
}
# Files of `tools` that are imported when their command runs, so may import Keras at their top.
LATE = {"tools/curves.py", "tools/input_speed.py", "tools/speed.py", "tools/throughput.py"}

PRIVATE = ("tensorflow.python", "tensorflow.compat.v1", "tf.python", "tf.compat.v1", "keras.src",
           "keras_tuner.src", "kt.src", "jax._src")
BAD_FILE_NAME = re.compile(r"^base_|(^|_)(struc|ssd|utils?|common|helpers?)(_|$)")
BAD_NAME_PARTS = {"struc", "ssd", "alpha", "theta"}
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
MACHINE_PATH = re.compile(r"""(?<![\w.}\-])/(work|root|home)(?=[/\s"'`,;:)]|$)""", re.MULTILINE)
REGISTRY = re.compile(r"pypi\.org|python" r"hosted|index[-_]url|trusted-ho" r"st|proxy\.golang",
                      re.IGNORECASE)

FACE = "tfdynnas/__init__.py"  # Names everything to a type checker, and imports nothing.

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 39
MAX_LINE_LENGTH = 100


def folder_of(path):
  """The folder that a rule goes by: "spaces" for tfdynnas/spaces/a.py, "" for tfdynnas/a.py."""
  parts = path.split("/")
  return parts[0] if parts[0] != "tfdynnas" else (parts[1] if len(parts) > 2 else "")


def imports(path, tree):
  """Every import of the file as (dotted name, line, whether it runs when the file is imported)."""
  package = path.split("/")[:-1]
  package = package if package[0] == "tfdynnas" else ["tfdynnas", *package]
  late = {id(inner) for outer in ast.walk(tree)
          if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
          or isinstance(outer, ast.If) and ast.unparse(outer.test).endswith("TYPE_CHECKING")
          for inner in ast.walk(outer)}
  for node in ast.walk(tree):
    for name in _imported_names(node, package):
      yield name, node.lineno, id(node) not in late


def _imported_names(node, package):
  if isinstance(node, ast.Import):
    return [alias.name for alias in node.names]
  if isinstance(node, ast.ImportFrom):
    start = package[:len(package) - node.level + 1] if node.level else []
    start = ".".join([*start, *([node.module] if node.module else [])])
    return [f"{start}.{alias.name}" for alias in node.names]
  if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
    return [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
  return []


def layer_offences(path, tree):
  """Imports within the package that go against the one way."""
  allowed = INSIDE[folder_of(path)] | SHARED | {folder_of(path)}
  for name, line, at_top in imports(path, tree):
    parts = name.split(".")
    if not at_top and (path == FACE or parts[1:2] == [UPWARD.get(path)]):
      continue
    if parts[0] == "tfdynnas" and len(parts) > 1 and parts[1] not in allowed:
      yield f"{path}:{line} imports tfdynnas.{parts[1]}"


def outside_offences(path, tree):
  """Imports of other packages that do not belong into this folder, or not at its top."""
  folder = folder_of(path)
  for name, line, at_top in imports(path, tree):
    package = name.split(".")[0]
    if package == "tfdynnas" or package in sys.stdlib_module_names:
      continue
    if package not in OUTSIDE[folder]:
      yield f"{path}:{line} imports {package}"
    elif folder != "tools" and name.startswith(("absl.flags", "absl.app")):
      yield f"{path}:{line} imports {name}"
    elif (at_top and folder in ("data", "tools") and package.startswith("tensorflow")
          and path not in LATE):
      yield f"{path}:{line} imports {package} before it is needed"


def private_offences(path, tree):
  """Uses of modules that their packages keep to themselves, or that belong to TensorFlow 1."""
  used = [(name, line) for name, line, _ in imports(path, tree)]
  used += [(ast.unparse(node), node.lineno) for node in ast.walk(tree)
           if isinstance(node, ast.Attribute)]
  for name, line in used:
    if any(f"{name}.".startswith(f"{private}.") for private in PRIVATE):
      yield f"{path}:{line} uses {name}"


def output_offences(path, tree):
  """Reading of flags, and printing, below tfdynnas/: both belong to the tools."""
  if not path.startswith("tfdynnas/"):
    return
  for node in ast.walk(tree):
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
      yield f"{path}:{node.lineno} prints"
    if "FLAGS" in (getattr(node, "id", None), getattr(node, "attr", None)):
      yield f"{path}:{node.lineno} reads FLAGS"


def length_offences(path, tree, text):
  """Files, functions (with their docstring) and lines that are too long."""
  lines = text.splitlines()
  if len(lines) > MAX_FILE_LINES:
    yield f"{path} has {len(lines)} lines"
  for number, line in enumerate(lines, 1):
    if len(line) > MAX_LINE_LENGTH:
      yield f"{path}:{number} has {len(line)} characters"
  if path.startswith("tests/"):
    return
  for node in ast.walk(tree):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
      length = node.end_lineno - node.lineno + 1
      if length > MAX_FUNCTION_LINES:
        yield f"{path}:{node.lineno} {node.name} has {length} lines"


def docstring_offences(path, tree):
  """Modules, public classes and public functions without a docstring."""
  if not ast.get_docstring(tree):
    yield f"{path} has no docstring"
  if path.startswith("tests/"):
    return
  for node in tree.body:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
      if not node.name.startswith("_") and not ast.get_docstring(node):
        yield f"{path}:{node.lineno} {node.name} has no docstring"


def vocabulary_offences(path, tree):
  """File names and names bound in the file that the project does not use."""
  if any(BAD_FILE_NAME.search(part.split(".")[0]) for part in path.split("/")):
    yield f"{path} is a file name that says nothing, or not ours"
  for node in ast.walk(tree):
    bound = [getattr(node, "name", None), node.arg if isinstance(node, ast.arg) else None]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
      bound.append(node.id)
    for name in bound:
      if isinstance(name, str) and BAD_NAME_PARTS & set(name.lower().split("_")):
        yield f"{path}:{getattr(node, 'lineno', 0)} names {name}"


def text_offences(path, text):
  """Unfinished places, paths of one machine and package registries, in a file of any kind."""
  for pattern in (LEFTOVER, MACHINE_PATH, REGISTRY):
    for match in pattern.finditer(text):
      line = text.count("\n", 0, match.start()) + 1
      yield f"{path}:{line} holds {match.group(0)!r}"
