#!/usr/bin/env bash
# cria figure as its user meets it: every figure is made, is well-formed XML and the same each time; wrong use gets one
# line. Whether a figure is legible is for eyes.
#
#   figures.sh PROGRAM
set -uo pipefail
program=$(cd "$(dirname "$1")" && pwd -P)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0 skipped=0

check() {  # check NAME COMMAND…: the command has to succeed
  local name=$1
  shift
  if "$@" >out 2>err; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n%s\n' "$name" "$(tail -n 5 out err)"
  fi
}

refused() {  # refused PART ARGUMENT…: exit code 2, nothing but one line on stderr, and PART is in it
  local part=$1
  shift
  "$program" figure "$@" >said 2>line
  [ $? = 2 ] && [ "$(wc -l <line)" = 1 ] && grep -qF -- "$part" line || { cat line; return 1; }
}

check_well_formed() {  # check_well_formed NAME FILE…
  local name=$1 parser=()
  shift
  if command -v xmllint >/dev/null; then
    parser=(xmllint --noout)
  elif command -v python3 >/dev/null; then
    parser=(python3 -c 'import sys, xml.dom.minidom; [xml.dom.minidom.parse(name) for name in sys.argv[1:]]')
  else
    echo 'skipped: that figures are well-formed is seen by xmllint or python3'
    skipped=$((skipped + 1))
    return
  fi
  check "$name" "${parser[@]}" "$@"
}

"$program" figure --list >list || exit 1
names=$(awk 'NR > 1 { print $1 }' list)
check 'there is a figure for each chapter' test "$(awk '$2 ~ /^[01]/ { print $2 }' list | sort -u | wc -l)" = 11

for step in 1 2 3; do
  echo "{\"step\": $step, \"bits_per_byte\": $((9 - step)).5, \"val_loss\": $([ $step = 3 ] && echo 2.5 || echo null), \"floor\": 0.3}"
done >log.jsonl
check 'all figures' "$program" figure all --log log.jsonl --out first
for name in $names; do
  check "$name is made" test -s "first/$name.svg"
  check "$name holds no number that is none" sh -c "! grep -qE '[^a-z](-?nan|-?inf)[^a-z]' first/$name.svg"
done
check 'and no others' test "$(ls first | wc -l)" = "$(wc -w <<<"$names")"
check_well_formed 'are well-formed' first/*.svg
check 'all figures again' "$program" figure --log log.jsonl --out second
check 'are the same bytes' diff -r first second
check 'one figure alone' "$program" figure tokens --out alone
check 'is the same as among all' cmp first/tokens.svg alone/tokens.svg

text=$'\xff<&>"\x01 \xe6\x97\xa5\xe6\x9c\xac\n end of a text that is no story'
check 'a text of any bytes' "$program" figure -p "$text" --out odd
check_well_formed 'gives well-formed figures' odd/*.svg
check 'of that text' sh -c '! cmp -s first/tokens.svg odd/tokens.svg'
"$program" figure -p a --out short >said
check 'a text of one letter leaves out what has nothing to show' \
  grep -q '^left out merges: no word of this text is made by merges$' said
check 'and says where each file is' test "$(grep -c '^short/[a-z-]*\.svg$' said)" = "$(ls short | wc -l)"

check 'an unknown figure' refused 'there is no figure atention; the nearest known one is attention' atention
check 'a figure with nothing to show' refused 'merges: no word of this text is made by merges' merges -p a
check 'a log that is missing' refused '--log none.jsonl: there is no such file' loss --log none.jsonl
check 'a log that is none' refused 'list:1: this is no line of a training log' loss --log list
check 'a model that is missing' refused 'none holds no model' tokens --model none
check 'a folder that cannot be made' refused 'log.jsonl' tokens --out log.jsonl/figures

printf 'test cases: %d | %d passed | %d failed | %d skipped\n' $((passed + failed + skipped)) $passed $failed $skipped
[ $failed = 0 ]
