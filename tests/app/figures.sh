#!/usr/bin/env bash
# cria figure as its user meets it: every figure is made, is well-formed XML and the same each time; wrong use gets one
# line. Whether a figure is legible is for eyes.
#
#   figures.sh PROGRAM
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

check_well_formed() {  # check_well_formed NAME FILE…
  local name=$1 parser=()
  shift
  if command -v xmllint >/dev/null; then
    parser=(xmllint --noout)
  elif command -v python3 >/dev/null; then
    parser=(python3 -c 'import sys, xml.dom.minidom; [xml.dom.minidom.parse(name) for name in sys.argv[1:]]')
  else
    skip 'that figures are well-formed is seen by xmllint or python3'
    return
  fi
  check "$name" "${parser[@]}" "$@"
}

"$program" figure --list >list || exit 1
names=$(awk 'NR > 1 { print $1 }' list)
check 'there is a figure for each chapter' test "$(awk '$2 ~ /^[0-9]/ { print $2 }' list | sort -u | wc -l)" = 22

for step in 1 2 3; do
  echo "{\"step\": $step, \"bits_per_byte\": $((9 - step)).5, \"val_loss\": $([ $step = 3 ] && echo 2.5 || echo null), \"floor\": 0.3, \"reward\": $step, \"right\": 0.$step, \"turn\": $step, \"obeyed\": 0.$step, \"dialogues\": 20}"
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

refuses 'an unknown figure' 'there is no figure atention; the nearest known one is attention' figure atention
refuses 'a figure with nothing to show' 'merges: no word of this text is made by merges' figure merges -p a
refuses 'a log that is missing' '--log none.jsonl: there is no such file' figure loss --log none.jsonl
refuses 'a log that is none' 'list:1: this is not valid JSON at byte 2' figure loss --log list
refuses 'no log of a run with --reward' 'hacking: it needs logs of runs of `finetune` with --reward' figure hacking
refuses 'no log of what was obeyed' 'obedience: it needs logs of `instructions obedience`' figure obedience
refuses 'a model that is missing' 'none holds no model' figure tokens --model none
refuses 'a folder that cannot be made' 'log.jsonl' figure tokens --out log.jsonl/figures

finish
