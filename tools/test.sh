#!/usr/bin/env bash
# Runs the tests, in an environment of its own (see setup_env.sh). Arguments go to pytest:
#   tools/test.sh                     everything
#   tools/test.sh tests/spaces -x     one folder, up to the first failure
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup_env.sh
setup_env test
exec python -m pytest "$@"
