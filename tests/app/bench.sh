#!/usr/bin/env bash
# cria bench as its user meets it: what it measures is there and is no nonsense; wrong use gets one line. How fast
# anything is, is never tested.
#
#   bench.sh PROGRAM
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

check 'the bench measures' "$program" bench --only gemv --repeats 1 --json
cp out bench.json
for key in name shape type target threads value unit limit fraction spread; do
  check "and gives $key" grep -q "\"$key\": " bench.json
done
check 'and no key more' test "$(grep -o '"[a-z]*":' bench.json | sort -u | wc -l)" = 10
check 'no value is 0' bash -c '! grep -E "\"(value|limit|fraction)\": (0(\.0)?|null)," bench.json'
check 'models with weights of a type' "$program" bench --type q4_0 --only 'packed weights' --repeats 1 --json
check 'prompts, batches, single tokens and texts of two shapes' test "$(grep -c '"type": "Q4_0"' out)" = 16
check 'the ladder' "$program" bench ladder --repeats 1 --threads 1
check 'has a line for each rung' test "$(grep -c ' GFLOP/s ' out)" = 10
check 'the bench of memory' "$program" bench memory --threads 1 --json
grep -o '"fraction": [0-9.]*' out >fractions
check 'measures two runs of each kind' test "$(wc -l <fractions)" -eq 6
check 'and all take what was stated, within 10 %' awk '$2 < 0.9 || $2 > 1.1 {exit 1}' fractions
check 'packed weights of 15 million and their tokenizer within 3 %' awk 'END {exit $2 < 0.97 || $2 > 1.03}' fractions

: >empty.txt
refuses 'the bench of nothing' 'expected one of all, ladder, context, busy, memory, serve' bench juggle
refuses 'one that has no such case' 'nonsense names nothing that can be measured' bench --only nonsense
refuses 'one without rounds' '--repeats is 0, expected 1 to 1000' bench --repeats 0
refuses 'one against an unknown library' '--against is mkl, expected openblas or onednn' bench --against mkl
refuses 'a plot of what is no curve' '--svg is for cria bench context' bench --svg plot.svg
refuses 'an option that it has no use for' '--only is for cria bench all' bench memory --only gemm
refuses 'weights of an unknown type' 'expected F32, F16, BF16, or a type of blocks' bench --type Q9_K
refuses 'one of an unknown shape' 'none: No such file or directory' bench --config none
refuses 'one of a missing tokenizer' 'none: No such file or directory' bench --tokenizer none
refuses 'one of a missing text' 'none: No such file or directory' bench --text none
refuses 'one of an empty text' 'empty.txt: the file is empty' bench --text empty.txt
refuses 'a server that is not there' 'nothing at http://127.0.0.1:1/v1/completions completes a text' bench serve --url http://127.0.0.1:1/v1
"$(dirname "$program")/cria" serve --port 0 --context 64 >served &
server=$!
until grep -qs /v1 served; do sleep 0.1; done
check "cria's own server is asked" bash -c '"$0" bench serve --url "$1" --prompt-words 4 --clients 2 --rates 50 --requests 4 --tokens 4 \
  --json >loads && [ $(grep -c "\"refused\": 0" loads) = 2 ]' "$program" "$(grep -o 'http://[^,]*' served)"
kill $server && wait $server
refuses 'a server without a port' '--url is "http://x", expected one like http://' bench serve --url http://x
refuses 'a busy core and one thread' 'expected two' bench busy --threads 1

finish
