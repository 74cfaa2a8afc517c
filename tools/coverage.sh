#!/usr/bin/env bash
# Runs the tests, measures which lines and branches they run, and prints the files by that:
#   tools/coverage.sh                 after tools/test.sh, in its environment
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup_env.sh
setup_env test,coverage || exit 1
coverage erase
TFDYNNAS_PYTHON="coverage run" tools/test.sh "$@"
coverage combine --quiet
coverage report
