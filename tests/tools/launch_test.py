"""What launchers print to be pasted into a shell."""

import csv
import subprocess

import pytest

from tfdynnas.tools import launch


@pytest.mark.parametrize("folder", ["plain", "it's $HOME; a \"b\"", "at 11:41", "a,b", "é\u3000["])
def test_the_command_that_serves_survives_a_shell(tmp_path, folder):
  version = tmp_path / folder / "digits" / "1"
  version.mkdir(parents=True)
  script = f"docker() {{ printf '%s\\0' \"$@\"; }}\n{launch.serve_command(version)}"
  said = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.decode()
  *arguments, end = said.split("\0")
  assert end == "" and arguments[:5] == ["run", "--rm", "-p", "8501:8501", "--mount"]
  assert arguments[6:] == ["-e", "MODEL_NAME=digits", "tensorflow/serving"]
  (mount,) = csv.reader([arguments[5]])
  assert mount == ["type=bind", f"source={version.parent}", "target=/models/digits", "readonly"]
