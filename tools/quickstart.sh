#!/usr/bin/env bash
# The first result: sets up what it needs, then runs the whole chain on the handwritten digits, and
# says where the network found stands among others.
#   tools/quickstart.sh [RUN_DIR]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup_env.sh
setup_env digits,plots
python tools/nas.py --flagfile=flags/quickstart.cfg --run_dir="${1:-runs/digits}"
