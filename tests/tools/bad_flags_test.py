"""Flags that cannot be used: one line and exit status 2 before TensorFlow is imported; --help."""

import os
import pathlib
import re
import shlex

import pytest

from tests.tools import launcher

DIGITS = "--dataset=digits --run_dir={run}"
BAD = [
    ("train_supernet", f"{DIGITS} --epoch=3", "Unknown command line flag 'epoch'"),
    ("train_supernet", f"{DIGITS} --epochs=0", "`epochs` must be >= 1. Received: 0"),
    ("train_supernet", f"{DIGITS} --epochs=many", "many"),
    ("train_supernet", f"{DIGITS} --valid_share=1", "`valid_share` must be < 1. Received: 1.0"),
    ("train_supernet", f"{DIGITS} --learning_rate=nan", "must be a finite number. Received: nan"),
    ("train_supernet", f"{DIGITS} --l2=inf", "must be a finite number. Received: inf"),
    ("train_supernet", f"{DIGITS} --l2=1e300", "`l2` must be a number up to 2**53"),
    ("train_supernet", f"{DIGITS} --checkpoint_steps=1{'0' * 30}", "must be a number up"),
    ("train_supernet", f"{DIGITS} --epochs=1000000000000", "`epochs` must be <= 1000000"),
    ("train_supernet", f"{DIGITS} --gamma_max=1e9", "`gamma_max` must be <= 1000"),
    ("rank", f"--run_dir={{run}} --archs=sample:1{'0' * 5000}", "`archs` samples N >= 1"),
    ("train_supernet", f"{DIGITS} --schedule=step", "must be one of ('calr', 'reversed', 'cosine'"),
    ("train_supernet", f"{DIGITS} --seed=4294967296", "`seed` must be < 4294967296"),
    ("train_supernet", f"{DIGITS} --flagfile=nope", "a preset: cifar10,"),
    ("train_supernet", f"{DIGITS} --flagfile=", "--flagfile must name a file"),
    ("train_supernet", f"{DIGITS} --flagfile", "--flagfile=FILE must name a file"),
    ("train_supernet", f"{DIGITS} --flagfile={{image}}", "must be a text file"),
    ("train_supernet", f"{DIGITS} --noflip=true", "--noflip=true does not take an argument"),
    ("make_table", "--noshow_progress=true", "--noshow_progress=true does not take an argument"),
    ("train_supernet", f"{DIGITS} digits", "Flags begin with --. Received: digits"),
    ("train_supernet", "--run_dir={run}", "Give one of `dataset`, `image_dir`, "),
    ("train_supernet", f"{DIGITS} --image_dir={{run}}", "Give one of `dataset`, `image_dir`, "),
    ("train_supernet", "--image_dir=x --run_dir={run} --crop=resized",
     "`record_dir` and `crop` resized need `image_size`. Received: none"),
    ("train_supernet", f"{DIGITS} --crop=random", "must be one of ('whole', 'resized')"),
    ("train_supernet", f"{DIGITS} --jitter=1.5", "`jitter` must be <= 1. Received: 1.5"),
    ("train_supernet", "--dataset=digits", "Give --run_dir=FOLDER. Received: none"),
    ("train_supernet", f"{DIGITS} --calr_on=loss", "needs method=fairnas or sandwich"),
    ("train_supernet", f"{DIGITS} --method=fairnas --calr_on=loss --schedule=cosine",
     "schedule=calr or reversed. Received: method=fairnas, schedule=cosine"),
    ("train_supernet", f"{DIGITS} --method=fairnas --sampler=stratified",
     "`sampler` must be uniform with method=fairnas. Received: stratified"),
    ("train_supernet", f"{DIGITS} --method=sandwich --momentum_groups=shared --sampler=pa",
     "`sampler` pa needs method=spos. Received: method=sandwich"),
    ("train_supernet", f"{DIGITS} --method=sandwich", "`momentum_groups` must be random or shared"),
    ("train_supernet", f"{DIGITS} --gamma=1", "`gamma` needs schedule=polynomial. Received: sched"),
    ("train_supernet", f"{DIGITS} --flagfile=cifar10_spos --gamma_max=4",
     "`gamma_max` needs schedule=calr or reversed. Received: schedule=cosine"),
    ("train_supernet", "--flagfile=cifar10_spos", "Give --run_dir=FOLDER. Received: none"),
    ("train_supernet", "--image_dir=x --image_size=8 --crop=resized --pad=4 --run_dir={run}",
     "`pad` needs crop=whole. Received: crop=resized"),
    ("search", "--run_dir={run} --subnet_epochs=3", "--subnet_epochs belongs to another tool"),
    ("train_supernet", f"{DIGITS} --few_shot_decision=1", "--few_shot_decision belongs to another"),
    ("pack", "--dataset=digits --data_file=x.npz --noflip", "--flip belongs to another tool"),
    ("search", "--run_dir={run} --search=pareto --parents=9", "`parents` needs search=evolution"),
    ("nas", f"{DIGITS} --subnet_epochs=-1", "`subnet_epochs` must be >= 1. Received: -1"),
    ("nas", f"{DIGITS} --flagfile=digits --population=x", "population"),
    ("nas", "--flagfile=digits", "Give --run_dir=FOLDER. Received: none"),
    ("search", "--run_dir={run} --mutation=1.5", "`mutation` must be <= 1. Received: 1.5"),
    ("search", "--run_dir={run} --mutants=40", "must be <= `population`. Received: 40 + 25 > 50"),
    ("search", "", "Give --run_dir=FOLDER. Received: none"),
    ("search", "--run_dir={run} --max_latency=1", "need `latency_table`. Received: none"),
    ("search", "--run_dir={run} --search=nsga", "must be one of ('evolution', 'pareto')"),
    ("search", "--run_dir={run} --search=pareto --pareto_costs=a", "macs, bytes, latency, each"),
    ("measure_latency", "--run_dir={run} --repeats=0", "`repeats` must be >= 1. Received: 0"),
    ("measure_latency", "--run_dir={run} --quantize=int8",
     "`quantize` needs runtime=litert or onnxruntime. Received: no runtime"),
    ("measure_latency", "--run_dir={run} --runtime=tflite",
     "`runtime` must be one of ('tensorflow', 'litert', 'onnxruntime'). Received: tflite"),
    ("export", "--run_dir={run} --format=onnx", "`format` must be saved_model, which"),
    ("measure_latency", "--run_dir={run} --check=1", "`check` must be 0 or >= 2"),
    ("measure_latency", "--run_dir={run} --threads=99999", "`threads` must be <= "),
    ("measure_latency", "", "Give --run_dir=FOLDER, or --latency_table=FILE and"),
    ("train_subnet", "--run_dir={run} --checkpoint_steps=0", "`checkpoint_steps` must be >= 1"),
    ("export", "--run_dir={run} --name=a/b", "`name` must be letters, digits"),
    ("train_few_shot", f"{DIGITS} --few_shot_groups=0,1;;2", "must look like 0,1;2,3,4"),
    ("train_few_shot", f"{DIGITS} --few_shot_decision=-1", "`few_shot_decision` must be >= 0"),
    ("train_supernet", f"{DIGITS} --flagfile=digits_few_shot",
     "nas.py train supernets in parts. Received: --few_shot_decision"),
    ("make_records", "--image_dir=x", "Give `image_dir` and `record_dir`. Received: image_dir='x'"),
    ("split", "--run_dir={run} --gradient_paths=0", "`gradient_paths` must be >= 1. Received: 0"),
    ("train_supernet", f"{DIGITS} --flagfile={'x' * 300}", "--flagfile must name a file"),
    ("train_supernet", f"{DIGITS} --{'9' * 5000}", "Unknown command line flag. Received: --999"),
    ("train_supernet", f"{DIGITS} --stderrthreshold=x", "--stderrthreshold must be one of"),
    ("train_supernet", f"{DIGITS} --logger_levels=a:b", "Unknown level: 'b'"),
    ("train_supernet", f"{DIGITS} --split_file=\udcff", "Arguments must be of UTF-8. Received"),
    ("train_supernet", f"{DIGITS} --flagfile={{nul}}", "must be without NUL. Received: "),
    ("train_supernet", f"{DIGITS} --batch=2147483648", "`batch` must be <= 1048576"),
    ("train_few_shot", f"{DIGITS} --few_shot_groups={'9' * 5000}", "must look like 0,1;2,3,4"),
    ("measure_latency", "--latency_table=. --image_size=8 --keep_classes=2",
     "`latency_table` must name a file. Received: ."),
    ("pack", "--dataset=digits --data_file=/", "`data_file` must name a file. Received: /"),
    ("benchmark", "--part=step --masked", "`masked` needs part=throughput. Received: part=step"),
    ("experiment", f"{DIGITS} --row=a:'", "`row` must be as for a shell"),
    ("experiment", f"{DIGITS} --row=a: --seeds={'9' * 5000}", "`seeds` must be whole numbers"),
]


@pytest.fixture
def without_tensorflow(tmp_path):
  """An environment in which importing TensorFlow or Keras ends the process with status 77."""
  for name in ("tensorflow", "keras"):
    (tmp_path / f"{name}.py").write_text("import os\nos._exit(77)\n")
  return {**os.environ, "PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize("tool,flags,expected", BAD, ids=lambda value: str(value)[-40:])
def test_bad_flags_are_refused_before_tensorflow_is_imported(
    tmp_path, without_tensorflow, tool, flags, expected):
  (tmp_path / "image.png").write_bytes(b"\x89PNG\xff")
  (tmp_path / "nul.cfg").write_bytes(b"--name=\0")
  run = tmp_path / "run"
  flags = flags.format(run=run, image=tmp_path / "image.png", nul=tmp_path / "nul.cfg").split()
  line = launcher.refusal(launcher.run_alone(tool, *flags, env=without_tensorflow))
  assert line.startswith(f"{tool}.py: ") and expected in line, line
  assert not run.exists()


def test_the_trap_for_tensorflow_works(tmp_path, without_tensorflow):
  flags = ("--dataset=digits", f"--run_dir={tmp_path / 'run'}")
  assert launcher.run_alone("train_supernet", *flags, env=without_tensorflow).returncode == 77


@pytest.mark.parametrize("tool,own,other", [
    ("train_supernet", "--gamma_max", "--mutants"), ("search", "--mutants", "--gamma_max"),
    ("train_subnet", "--subnet_epochs", "--mutants"), ("export", "--export_dir", "--mutants"),
    ("nas", "--mutants", "--part"), ("train_few_shot", "--init_from", "--mutants"),
    ("split", "--gradient_paths", "--init_from"),
])
def test_help_lists_the_flags_of_the_launcher(without_tensorflow, tool, own, other):
  result = launcher.run_alone(tool, "--help", env=without_tensorflow)
  assert result.returncode == 0 and not result.stderr
  listed = set(re.findall(r"--(?:\[no\])?\w+", result.stdout.partition("flags:")[2]))
  assert {own, "--run_dir"} <= listed and other not in listed


PRESETS = sorted((launcher.ROOT / "flags").glob("*.cfg"))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_presets_parse_in_every_launcher_and_name_a_command(preset, without_tensorflow):
  experiment = preset.stem.startswith("table_")  # Whose rows are flags of the other tools.
  for tool in ("experiment",) if experiment else ("nas", "train_supernet", "search"):
    result = launcher.run_alone(
        tool, f"--flagfile={preset.stem}", "--only_check_args", env=without_tensorflow)
    assert (result.returncode, result.stderr) == (0, "")
  head = [line[2:] for line in preset.read_text().splitlines() if line.startswith("# ")]
  (command,) = [shlex.split(line) for line in head if line.startswith("tools/")]
  assert (launcher.ROOT / command[0]).is_file()
  assert f"--flagfile=flags/{preset.name}" in command
  assert [flag for flag in command if flag.startswith("--run_dir=")]


def test_presets_are_found():
  assert {"cifar10", "cifar10_spos", "digits"} <= {path.stem for path in PRESETS}


def test_a_flagfile_that_names_itself_is_refused(tmp_path, without_tensorflow):
  preset = pathlib.Path(tmp_path / "loop.cfg")
  preset.write_text("--flagfile=loop.cfg\n")
  result = launcher.run_alone("nas", f"--flagfile={preset}", env=without_tensorflow)
  assert "--flagfile" in launcher.refusal(result)
