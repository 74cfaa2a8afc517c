# shellcheck shell=bash
# Source this file, then call `setup_env EXTRAS`, for example `setup_env test` or
# `setup_env digits,plots`: it activates a Python environment that holds tfdynnas, editable, with
# these extras. The environment is the folder TFDYNNAS_VENV, else the active one, else .venv in the
# checkout, made where it is missing. pip runs again only when the requirements have changed, and
# is heard only when it fails.

setup_env() {
  local extras="$1" root venv stamp sum log
  root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)" || return 1
  venv="${TFDYNNAS_VENV:-${VIRTUAL_ENV:-$root/.venv}}"
  if [[ ! -e "$venv/bin/activate" ]]; then
    _check_python python3 || return 1
    echo "Making the Python environment $venv"
    if ! python3 -m venv "$venv"; then
      echo "python3 -m venv failed; on Debian it needs the package python3-venv." >&2
      return 1
    fi
  fi
  # shellcheck disable=SC1091
  source "$venv/bin/activate" || return 1
  if [[ ! "$(dirname "$(command -v python)")" -ef "$venv/bin" ]]; then
    echo "The Python environment $venv was moved after it was made: delete it." >&2
    return 1
  fi
  _check_python python || return 1

  stamp="$venv/tfdynnas-$extras.sum"
  sum="$root $(cat "$root/setup.cfg" "$root/pyproject.toml" | sha256sum)"
  [[ -e "$stamp" && "$(cat "$stamp")" == "$sum" ]] && return 0
  echo "Installing tfdynnas[$extras] (TensorFlow is large: some minutes the first time)"
  log="$(mktemp)"
  if ! (cd "$root" && python -m pip install --editable ".[$extras]") > "$log" 2>&1; then
    cat "$log" >&2
    echo "pip install --editable '.[$extras]' failed; its output is above." >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  echo "$sum" > "$stamp"
}

_check_python() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && return 0
  echo "tfdynnas needs Python 3.11 or newer. Found: $("$1" --version 2>&1)" >&2
  return 1
}
