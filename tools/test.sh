#!/usr/bin/env bash
# Runs the tests, in an environment of its own (see setup_env.sh). Arguments go to pytest:
#   tools/test.sh                     everything, two folders at a time
#   tools/test.sh --fast              what neither trains nor starts processes, in about 3 minutes
#   tools/test.sh tests/spaces -x     one folder, up to the first failure
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup_env.sh
setup_env test
export python="${TFDYNNAS_PYTHON:-python}"  # coverage.sh has another.
parts=(
  tests/tools tests/training tests/jobs tests/backend tests/search
  "tests/methods tests/optimizers tests/sampling" tests/supernet tests/serving tests/data
  "tests/spaces tests/analysis tests/report tests/files tests/config" "$(echo tests/*_test.py)"
)
if [[ "$*" == --fast ]]; then
  parts=(
    "--fast tests/search tests/serving tests/spaces tests/analysis tests/report tests/files"
    "--fast tests/data tests/config tests/methods tests/optimizers tests/sampling tests/supernet
    tests/training tests/backend tests/class_accuracy_test.py tests/face_test.py
    tests/source_test.py"
  )
elif (($#)); then
  # shellcheck disable=SC2086
  exec $python -m pytest "$@"
fi

# A process for each part, two at a time, the longest first: TensorFlow keeps much of what it has
# traced for as long as its process lives. What a process prints comes when it has ended.
logs="$(mktemp -d)"
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$logs"' EXIT
run_part() {
  local log failed=0
  log="$(mktemp "$1/XXXX.log")"
  # shellcheck disable=SC2086
  $python -m pytest -p no:cacheprovider $2 > "$log" 2>&1 || failed=$?
  cat "$log"
  return "$failed"
}
export -f run_part
printf '%s\0' "${parts[@]}" | xargs -0 -P 2 -I {} bash -c 'run_part "$@"' _ "$logs" {}
