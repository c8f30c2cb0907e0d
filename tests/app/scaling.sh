#!/usr/bin/env bash
# cria scaling as its user meets it: a sweep ends with fits and a figure, one that was killed goes on to the same
# numbers, and bad input gets one line.
#
#   scaling.sh PROGRAM
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

options=(--budgets 2e10,6e10 --sizes 4 --bootstrap 20)
sweep() { "$program" scaling "${options[@]}" "$@"; }

sweep --threads 2 --out whole >whole.txt
check 'a sweep says each run, with the floor' test "$(grep -c 'bits/byte (.* x floor)$' whole.txt)" -ge 6
check 'and each of the fits' test "$(grep -cE '^(1 envelope|2 isoFLOP|3 surface, E f)' whole.txt)" = 4
check 'with intervals' grep -q 'alpha .*80 % of draws: ' whole.txt
check 'and draws the figure' grep -q '</svg>' whole/isoflop.svg

"$program" scaling "${options[@]}" --out killed >killed.txt &
run=$!
for _ in $(seq 600); do [ -e killed/budget2-width8/training.safetensors ] && break; sleep 0.05; done
kill -9 $run 2>/dev/null
wait $run 2>/dev/null
check 'a sweep was killed on its way' bash -c '! grep -q "^3 surface" killed.txt'
sweep --threads 1 --out killed >killed.txt
check 'a sweep that was killed goes on to the same numbers' \
  diff <(sed 's/whole//' whole.txt) <(sed 's/killed//' killed.txt)
sweep --out whole >again.txt
check 'and one that is done says them again' cmp whole.txt again.txt

"$program" scaling --data zipf --budgets 5e9,1e10 --sizes 3 --bootstrap 0 --out facts >facts.txt
check 'a sweep on facts puts the exponents of theory beside those of the fit' \
  bash -c 'grep -A6 "^3 surface, E fixed" facts.txt | grep -q "alpha " &&
    grep -q "^theory, facts without end  alpha 0.500  beta 0.333  a 0.400$" facts.txt &&
    grep -qE "^theory, at these runs      alpha 0\.[456].*  beta 0\.3" facts.txt'
refuses 'the stories in a folder of facts' 'facts holds a sweep with other budgets' \
  scaling --budgets 5e9,1e10 --out facts
check 'facts are a grammar like others' \
  bash -c '"$0" stories --grammar zipf --count 50 >some.txt &&
    "$0" judge --grammar zipf some.txt | grep -q "50 of 50 right"' "$program"

check 'the Llamas have a table' test "$("$program" scaling --llamas | grep -c '^llama-')" = 10
refuses 'another sweep in the folder' 'whole holds a sweep with other budgets' scaling --budgets 1e10,3e10 --out whole
refuses 'a folder of something else' 'is not empty, and holds no sweep' scaling --out .
refuses 'one budget' '--budgets has one, expected at least two' scaling --budgets 1e10
refuses 'budgets that fall' 'expected each at least 1.5 times the one before' scaling --budgets 3e10,1e10
refuses 'a budget that is none' '--budgets has -1, expected 5e+09 to 1e20 operations' scaling --budgets=-1,2
refuses 'too few sizes' '--sizes is 2, expected 3' scaling --sizes 2
refuses 'no time' '--minutes is 0' scaling --minutes 0
refuses 'too little time' '--minutes gives a budget of 3.33e+09, expected' scaling --minutes 0.1
refuses 'unknown data' '--data is "nothing", expected stories or zipf' scaling --data nothing

finish
