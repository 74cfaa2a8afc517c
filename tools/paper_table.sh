#!/usr/bin/env bash
# One slice of one row of the paper's table, on a machine with JAX and without a network: goes on
# from a state, works for so many seconds, and leaves a state to go on from.
#
#   tools/paper_table.sh DATA TABLE STATE_IN STATE_OUT SECONDS ROW SEED [FLAG...]
#
#   DATA       images, a packed file that tools/pack.py made
#   TABLE      the truth, an .npz that tools/make_table.py made
#   STATE_IN   folder of a state's parts; without parts, or not there: the row begins
#   STATE_OUT  folder for the new state's parts, in place of those there; may be STATE_IN
#   SECONDS    after which the work is killed; what follows the last checkpoint is lost with it
#   ROW, SEED  name of a row of flags/table_paper.cfg, such as 'SPOS + CaLR + MS', and its seed
#   FLAG       further flags of tools/experiment.py, the same in each slice; paths in them absolute
#
# Exit status: 0, the row is done and is printed, as a table and as CSV; 75, there is more to do, and
# it prints how far it is; another, it failed, and STATE_OUT is as it was. From beginning to end:
#
#   until tools/paper_table.sh cifar10.npz table.npz state state 500 SPOS 0; do
#     [[ $? == 75 ]] || break
#   done
#   cat state/state-* | tar --extract   # run/ROW_seedSEED with its report, results.csv
#
# A state is the tar of run directory and results, cut into parts of 15 MB: at most 8, so the five
# parts of FSNAS + CaLR + MS (200 MB in the end) do not fit. A checkpoint, 40 MB with MS at the
# paper's size, is written every 200 steps and after each epoch (--checkpoint_steps). There is no
# search (--trials=0). It needs bash, GNU tar and coreutils, flock, and a python3 with JAX, Keras,
# absl, Jinja2, matplotlib and Pillow; tfdynnas itself need not be installed. Environment:
#   JAX_COMPILATION_CACHE_DIR   a folder that stays between slices saves each the compilation
#   TFDYNNAS_PART_BYTES         size of a part, 15000000
set -euo pipefail

MORE_TO_DO=75
MOST_PARTS=8
part_bytes="${TFDYNNAS_PART_BYTES:-15000000}"
root="$(cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." && pwd)"

fail() {
  echo "paper_table.sh: $2" >&2
  exit "$1"
}

# A part is named state-DIGEST-NUMBERofCOUNT, DIGEST that of the whole: so a part that is missing,
# damaged or of another state is seen.
digest_of() {
  sha256sum "$1" | cut -c 1-16
}

# Unpacks the first whole state of a folder. A kill can leave another one beside it, or parts of it.
unpack() {
  local folder="$1" first name number count parts
  while read -r first; do  # The newest first: a slice that was killed may have left two.
    name="${first##*/state-}" count="${first##*of}" parts=()
    for ((number = 1; number <= count; number++)); do
      parts+=("$folder/state-${name%%-*}-${number}of$count")
    done
    if cat "${parts[@]}" > "$work/state.tar" 2> /dev/null &&
        [[ "$(digest_of "$work/state.tar")" == "${name%%-*}" ]]; then
      tar --extract --no-same-owner --file="$work/state.tar" --directory="$work/state"
      return
    fi
  done < <(ls -t "$folder"/state-*-1of[1-8] 2> /dev/null)
  if compgen -G "$folder/state-*" > /dev/null; then
    fail 2 "STATE_IN must hold all parts of a state, as they were. Received: $folder, damaged"
  fi
}

# Packs the state, whole or not at all: the new parts take their names when all are there.
pack() {
  local folder="$1" size digest count old
  tar --create --file="$work/state.tar" --directory="$work/state" --exclude='.*.partial' .
  size="$(stat --format=%s "$work/state.tar")"
  digest="$(digest_of "$work/state.tar")"
  count=$(((size + part_bytes - 1) / part_bytes))
  ((count <= MOST_PARTS)) || fail 1 "\
The state must fit into $MOST_PARTS parts of $part_bytes bytes. Received: $size bytes; \
$folder is as it was"
  rm -rf "$folder/.partial"
  mkdir -p "$folder/.partial"
  split --bytes="$part_bytes" --numeric-suffixes=1 --suffix-length=1 \
    --additional-suffix="of$count" "$work/state.tar" "$folder/.partial/state-$digest-"
  mv "$folder/.partial"/* "$folder"
  rmdir "$folder/.partial"
  for old in "$folder"/state-*; do
    [[ "$old" == "$folder/state-$digest-"* ]] || rm "$old"
  done
}

# One line for each training, and for each ranking that has begun.
tell_progress() {
  python3 - "$work/state/run" <<'END'
import json
import pathlib
import sys

import numpy as np

run, told = pathlib.Path(sys.argv[1]), []
for method in sorted(run.rglob("method.json")):
  path, step = method.with_name("checkpoint.npz"), 0
  if path.exists():
    with np.load(path) as arrays:
      step = json.loads(bytes(arrays["record"]))["step"]
  steps = json.loads(method.read_text())["steps"]
  told.append(f"{method.parent.relative_to(run)}: step {step} of {steps}")
for path in sorted(run.rglob("scores.jsonl")):
  count = path.read_bytes().count(b"\n") - 1  # The first line says whose scores they are.
  told.append(f"{path.parent.relative_to(run)}: {count} archs scored")
print("\n".join(told or ["not begun: the time was too short to start"]))
END
}

case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit
    ;;
esac
(($# >= 7)) ||
  fail 2 "Give DATA TABLE STATE_IN STATE_OUT SECONDS ROW SEED; --help says what. Received: $*"
data="$1" table="$2" state_in="$(realpath -m "$3")" state_out="$(realpath -m "$4")"
limit="$5" row="$6" seed="$7"
shift 7
[[ "$limit" =~ ^[1-9][0-9]*$ ]] || fail 2 "SECONDS must be a whole number >= 1. Received: $limit"
[[ "$part_bytes" =~ ^[1-9][0-9]*$ ]] ||
  fail 2 "TFDYNNAS_PART_BYTES must be a whole number >= 1. Received: $part_bytes"
for file in "$data" "$table"; do
  [[ -f "$file" ]] || fail 2 "DATA and TABLE must be files. Received: $file"
done

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state" "$work/packages/tfdynnas"
# As if it were installed, with its tools and presets.
ln -s "$root"/tfdynnas/* "$root/tools" "$root/flags" "$work/packages/tfdynnas"
# A run knows its files by name, so these are the same in every slice, wherever it runs.
ln -s "$(realpath "$data")" "$work/data.npz"
ln -s "$(realpath "$table")" "$work/table.npz"
unpack "$state_in"

cd "$work"
export KERAS_BACKEND=jax PYTHONPATH="$work/packages${PYTHONPATH:+:$PYTHONPATH}"
status=0
{
  timeout -s KILL "$limit" "$root/tools/experiment.py" --flagfile="$root/flags/table_paper.cfg" \
    --dataset= --data_file=data.npz --table=table.npz --run_dir=state/run \
    --results=state/results.csv --only="$row" --seeds="$seed" --trials=0 --score_images=0 \
    --checkpoint_steps=200 "$@" 2>&3
} 3>&2 2> /dev/null || status=$?  # Where bash says, with the whole command, that it was killed.
((status == 0 || status == 137)) || fail "$status" "It failed; $state_out is as it was"
for lock in state/run/*/.lock; do  # What was killed may take a moment to end.
  [[ ! -e "$lock" ]] || flock "$lock" true
done
pack "$state_out"
if ((status)); then
  tell_progress
  exit "$MORE_TO_DO"
fi
cat state/results.csv
