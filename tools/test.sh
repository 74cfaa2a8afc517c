#!/usr/bin/env bash
# Runs the tests, in an environment of its own (see setup_env.sh). Arguments go to pytest:
#   tools/test.sh                     everything, in two halves side by side
#   tools/test.sh tests/spaces -x     one folder, up to the first failure
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup_env.sh
setup_env test
if (($#)); then
  exec python -m pytest "$@"
fi

# Two processes with a fixed share each, since most tests keep one core busy; what the second one
# prints comes after the first.
log="$(mktemp)"
trap 'kill $! 2> /dev/null || true; rm -f "$log"' EXIT
others=(tests/tools tests/runs tests/bazel_test.py)
python -m pytest -p no:cacheprovider "${others[@]}" > "$log" 2>&1 &
failed=0
python -m pytest tests "${others[@]/#/--ignore=}" || failed=$?
wait $! || failed=$?
cat "$log"
exit "$failed"
