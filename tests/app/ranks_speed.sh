#!/usr/bin/env bash
# How much of two threads' speed two ranks of one thread each have. No test: it takes minutes, and wants an idle machine.
#
#   ranks_speed.sh PROGRAM [PAIRS [STEPS [RECIPE]]]
#
# Runs one process with two threads and two ranks in turn, and takes of each run the median of its steps. What it prints
# for a pair is the ranks' share of the process's tokens a second, and in the end the median of these. Without a recipe
# it is that of the built-in stories. OTHER=PROGRAM compares the ranks of another build with the same threads.
set -euo pipefail
program=$(realpath "$1") pairs=${2:-5} steps=${3:-60}
ranks_of=$(realpath "${OTHER:-$program}")
recipe=()
[ -n "${4-}" ] && recipe=(--recipe "$(realpath "$4")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

median() { sort -g | awk '{ a[NR] = $1 } END { print (a[int((NR + 1) / 2)] + a[int(NR / 2) + 1]) / 2 }'; }
tokens_a_second() {  # tokens_a_second THREADS COMMAND…: of a run without its first steps
  local threads=$1
  shift
  "$@" train --threads "$threads" --steps "$steps" --json --out run "${recipe[@]}" >/dev/null
  tail -n +6 run/log.jsonl | sed -E 's/.*"tokens_per_second": ([0-9.]+).*/\1/' | median
  rm -rf run
}

for _ in $(seq "$pairs"); do
  threads=$(tokens_a_second 2 "$program")
  ranks=$(tokens_a_second 1 mpirun --quiet --allow-run-as-root --oversubscribe --bind-to none -n 2 "$ranks_of")
  awk -v t="$threads" -v r="$ranks" -v l="$(cut -d' ' -f1 /proc/loadavg)" \
    'BEGIN { printf "%.3f  (two threads %.0f, two ranks %.0f tokens/s; load %s)\n", r / t, t, r, l }' | tee -a ratios
done
echo "median $(cut -d' ' -f1 ratios | median)"
