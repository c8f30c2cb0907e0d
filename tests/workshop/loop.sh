#!/usr/bin/env bash
# The workshop as a learner meets it, in a folder of its own: start, hints, wrong attempts of every kind, the right one,
# watch, and all chapters green one after the other; then training with all of them.
#
#   loop.sh PROGRAM SOURCES
set -uo pipefail
cria=$1 sources=$2
export CRIA_WORKSHOP
CRIA_WORKSHOP=$(mktemp -d)/workshop
trap 'rm -rf "$(dirname "$CRIA_WORKSHOP")"' EXIT
cd "$sources" || exit 1
passed=0 failed=0 output='' code=0

learn() { output=$("$cria" learn "$@" 2>&1); code=$?; }
ok() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); printf 'FAIL: %s\n%s\n' "$1" "$output" | head -n 60; }

says() {  # says WHAT TEXT: the last command printed TEXT
  case $output in *"$2"*) ok ;; *) fail "$1: expected \"$2\"" ;; esac
}
is_short() {  # no wall of text
  [ "$(wc -l <<<"$output")" -le 30 ] && ok || fail "$1: more than 30 lines"
}
ends_with() { [ "$code" = "$2" ] && ok || fail "$1: ended with $code, expected $2"; }

file=$CRIA_WORKSHOP/03-rmsnorm/rmsnorm.cpp
reference=$sources/chapters/03-rmsnorm/rmsnorm.cpp

attempt() {  # attempt SED-EXPRESSION: the reference with one change
  sed -E "$1" "$reference" >"$file"
  ! cmp -s "$reference" "$file" || fail "the change $1 changes nothing"
  learn check 03 --limit "${2-30}"
}

learn
says 'at the beginning' '03 RMSNorm                not started'
learn check
ends_with 'nothing is under way' 2
says 'nothing is under way' 'cria learn start'

learn start 3
says start "write rmsnorm_forward, rmsnorm_backward"
grep -q 'throw NotWritten("chapter 03 is not written yet: rmsnorm_forward");' "$file" && ok || fail 'the stub'
echo '// mine' >>"$file"
learn start rmsnorm
says 'a second start' 'stays as it is'
grep -q '// mine' "$file" && ok || fail 'a second start overwrote a file'

learn check 03
ends_with 'the skeleton' 1
says 'the skeleton' 'wait for what is not written yet: rmsnorm_forward'
for level in 1 2 3; do
  learn hint 03
  says 'a hint' "rmsnorm_forward, hint $level of 3"
done
learn hint 03 rmsnorm_backward
says 'a hint for one region' 'rmsnorm_backward, hint 1 of 3'
learn diff 03
ends_with 'a difference too early' 2

attempt 's/std::sqrt\(mean_square \+ eps\)/(std::sqrt(mean_square) + eps)/'
ends_with 'a known mistake' 1
says 'a known mistake' 'You added eps after the root; it belongs inside'
says 'a known mistake' 'expected 0.6'

attempt 's/const real mean_square = /std::cout << "row " << n << std::endl; &1 + /;s/#include <cmath>/&\n#include <iostream>/'
says 'what the code prints' 'Your code printed'
says 'what the code prints' 'row 1'

attempt 's/const real mean_square = /const real mean_square = nothing + /'
says 'a compile error' 'does not compile'
says 'a compile error' "rmsnorm.cpp:$(grep -n mean_square "$reference" | head -n 1 | cut -d: -f1):"
is_short 'a compile error'

attempt 's/const size_t N = x.shape\(0\), C = x.shape\(1\);/& std::vector<std::vector<std::unique_ptr<int>>> a, b(a); b = a;/;s/#include <cmath>/&\n#include <memory>\n#include <vector>/'
says 'an error inside a template' 'does not compile'
says 'an error inside a template' 'rmsnorm.cpp:'
is_short 'an error inside a template'

attempt 's/const real mean_square = /for (volatile int i = 0;; ++i) {}\n&/' 3
says 'an endless loop' 'is there a loop that never ends?'
is_short 'an endless loop'

attempt 's/const real mean_square = /*reinterpret_cast<volatile int*>(N) = 1; &/'
says 'a crash' 'crashed: '
says 'a crash' '→ rmsnorm.cpp:'
is_short 'a crash'

attempt 's/inverse_rms\[n\] = 1/inverse_rms[n + 1] = 1/'
line=$(grep -n 'inverse_rms\[n\] = 1' "$reference" | cut -d: -f1)
says 'an index beyond a view' "→ rmsnorm.cpp:$line: index 5 on axis 0, whose length is 5"
longer='View<const real, 1>(x[n].data(), {C + 100})'
attempt "s/dot\(x\[n\], x\[n\]\)/dot($longer, $longer)/"
line=$(grep -n 'dot(x\[n\], x\[n\])' "$reference" | cut -d: -f1)
says 'a view longer than its memory' "→ rmsnorm.cpp:$line: reads or writes outside of an array"
attempt 's/noalias\(y\[n\]\) = x\[n\]/noalias(y[n]) = x[n + 1]/'
line=$(grep -n 'noalias(y\[n\]) = x\[n\]' "$reference" | cut -d: -f1)
says 'an index beyond a view, in an expression' "→ rmsnorm.cpp:$line: index 5 on axis 0, whose length is 5"

attempt 's/(noalias\(y\[n\]\) = )(x\[n\] \* r \* weight;)/\1-\2/'
says 'a sign' '→ y: yours is -1 times what is expected.'
says 'a sign' 'It stops nowhere'
says 'what fails' 'learn hint 03   (about rmsnorm_forward)'
attempt 's/real through_r = -d_r/real through_r = d_r/'
says 'what fails' 'learn hint 03   (about rmsnorm_backward)'
learn hint 03
says 'a hint for what fails' 'rmsnorm_backward, hint 2 of 3'

attempt 's/void rmsnorm_backward\(/void rmsnorm_backwards(/'
says 'a missing function' 'rmsnorm_backward is missing'
is_short 'a missing function'

cp "$reference" "$file"
learn check
ends_with 'the reference' 0
says 'the reference' 'Done.'
says 'the reference' 'Next: ./cria learn start 04'
learn
says 'at the end' '03 RMSNorm                done'
says 'at the end' 'Next: ./cria learn start 04'
learn diff 03
says 'the difference' 'inverse_rms'
for columns in 130 200; do
  output=$(COLUMNS=$columns "$cria" learn diff 03 | grep -v '[^ -~]' | wc -L)
  [ "$output" -le $columns ] && [ "$output" -gt $((columns - 20)) ] && ok || fail "the difference in $columns columns"
done
output=$(COLUMNS=60 "$cria" learn diff 03)
says 'no difference, in few columns' 'They are the same.'
learn reset 03
says 'reset' 'backups'
cmp -s "$reference" "$CRIA_WORKSHOP"/backups/03-rmsnorm-*/rmsnorm.cpp && ok || fail 'reset lost a file'

: >"$CRIA_WORKSHOP/watched"
"$cria" learn watch 03 >"$CRIA_WORKSHOP/watched" 2>&1 &
watcher=$!
for ((i = 0; i < 120; ++i)); do
  grep -q Watching "$CRIA_WORKSHOP/watched" && cp "$reference" "$file"
  grep -q Done "$CRIA_WORKSHOP/watched" && break
  sleep 1
done
kill $watcher
output=$(cat "$CRIA_WORKSHOP/watched")
says 'watch' 'wait for what is not written yet'
says 'watch' 'Done.'

for lesson in chapters/[0-9][0-9]-*/README.md; do
  folder=$(dirname "$lesson") chapter=$(basename "$(dirname "$lesson")")
  learn start "$chapter"
  for skeleton in "$CRIA_WORKSHOP/$chapter"/*.cpp; do cp "$folder/$(basename "$skeleton")" "$skeleton"; done
  begin=$SECONDS
  learn check "$chapter" --limit 300
  ends_with "$chapter" 0
  printf '%s: green, %s s with its tests built\n' "$chapter" $((SECONDS - begin))
done
output=$(CRIA_CASES=/nowhere/cases "$(dirname "$cria")/../tests/test_04-rope_workshop" 2>&1)
says 'a test that is skipped' 'the reference cases are not here'
case $output in *"(/"* | *" /"*) fail 'a test that is skipped names a path outside' ;; *) ok ;; esac
learn
says 'at the very end' 'All chapters are yours'
mkdir -p "$CRIA_WORKSHOP/run" && cd "$CRIA_WORKSHOP/run" || exit 1
learn train --minutes 0.1
says 'training' 'RMSNorm: yours'
case $output in *': reference'*) fail 'training with all chapters' ;; *) ok ;; esac
says 'training' 'its speed beside the reference'
says 'training' '% of its speed'
grep -q '"num_key_value_heads": 2' runs/workshop/config.json && ok || fail 'training with grouped heads'

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
