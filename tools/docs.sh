#!/usr/bin/env bash
# Builds the documents as pages, in an environment of its own (see setup_env.sh); a broken link or a
# missing name fails. Arguments go to mkdocs:
#   tools/docs.sh                      into site/
#   tools/docs.sh --site-dir=FOLDER    into FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup_env.sh
setup_env docs
exec python -m mkdocs build --strict "$@"
