#!/usr/bin/env bash
# cria plan as its user meets it, and presets as recipes. How fast this machine is, is never tested.
#
#   plan.sh PROGRAM
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

value() { grep -m 1 "\"$2\": " "$1" | sed 's/.*: //; s/,$//'; }  # value FILE KEY: the first of that key

# ── Presets ─────────────────────────────────────────────────────────────────────────────────────────────────────────

"$program" plan llama-2-7b >7b.txt
check 'the parameters of a preset' grep -q '^parameters 6,738,415,616; 6,476,271,616 without embedding and head$' 7b.txt
check 'the memory of its cache' grep -qE '[48]\.0 GiB for all 4096 of the context' 7b.txt  # float, or double
check 'what was published of its training' grep -q '^published  184,320 hours of A100, 2,396 petaFLOP-days' 7b.txt
check 'in 80 columns' awk '{gsub(/[\200-\277]/, "")} length > 80 {exit 1}' 7b.txt
"$program" plan llama-3.1-405b --json >405b.json
check 'a large one' test "$(value 405b.json parameters)" = 405853388800
check 'with the operations that its authors count' grep -q '"operations": 3.8e+25' 405b.json
check 'others fit the columns, too' bash -c 'for name in llama-3.1-405b llama-3.2-1b code-llama-34b; do
  "$0" plan $name --batch 8 --machines 16 | awk "{gsub(/[\\200-\\277]/, \"\")} length > 80 {print; bad = 1} END {exit bad}" || exit 1
done' "$program"

"$program" plan stories15m --json --type Q8_0 --context 128 --batch 3 --tokens 1e9 --machines 2 >15m.json
check 'a type alone' test "$(grep -c '"seconds_per_token"' 15m.json) $(grep -c '"Q8_0"' 15m.json)" = '1 1'
check 'of which it says the limits' bash -c '! grep -E "_per_second\": (0|null)" 15m.json && grep -q bytes_per_second 15m.json'
check 'a context' test "$(value 15m.json context) $(value 15m.json positions)" = '128 128'
check 'a cache for each sequence' test "$(value 15m.json cache)" = $((3 * $(value 15m.json cache_bytes)))
check 'the tokens of a run' test "$(value 15m.json tokens)" = 1000000000.0
"$program" plan stories15m --json --tokens 1.5T >15t.json
check 'which may have a unit' test "$(value 15t.json tokens)" = 1500000000000.0
check 'half of the lanes on each of two machines' grep -A 1 on_each_machine 15m.json
printf 'data: {batch: 128, lanes: 128}\n' >lanes.yaml
ways() { "$program" plan lanes.yaml --json --machines "$1" | grep -c '"data": {'; }
check 'up to 64 machines share the lanes of a step' test "$(ways 64) $(ways 65)" = '1 0'
check 'with fewer bytes than one takes' test "$(value 15m.json bytes_with_shared_moments)" -lt "$(value 15m.json total)"

# ── Models and recipes ──────────────────────────────────────────────────────────────────────────────────────────────

"$program" plan "$source/data/model" --json >small.json
"$program" info "$source/data/model" --json >info.json
for key in parameters cache_bytes moments gradients activations operations_per_token; do
  check "plan and info agree on a model's $key" test "$(value small.json $key)" = "$(value info.json $key)"
done
printf 'model: {dim: 32, hidden_dim: 48, layers: 2, heads: 4, kv_heads: 2, head_dim: 8}\ntokenizer: {vocabulary: 100}\n' >my.yaml
"$program" plan my.yaml --json >my.json
check 'a recipe of its own' test "$(value my.json parameters)" = $((100 * 32 + 2 * (2 * 32 * 32 + 2 * 16 * 32 + 3 * 48 * 32 + 2 * 32) + 32))

refuses 'a name that is near to a preset' 'the nearest preset is llama-2-7b' plan lama-2-7b
refuses 'a recipe that is missing' 'none.yaml: No such file or directory' plan none.yaml
refuses 'a folder without a model' 'config.json' plan .
printf 'no model' >text
refuses 'a file that is none' 'text is no model' plan text
refuses 'an unknown type' '--type is "Q9", expected the name of one' plan stories15m --type Q9
refuses 'no context' '--context is 0, expected 1 to 16777216' plan stories15m --context 0
refuses 'no sequence' '--batch is 0' plan stories15m --batch 0
refuses 'no machine' '--machines is 0' plan stories15m --machines 0
refuses 'tokens in a unit that is not there' '--tokens: X unit not recognized' plan stories15m --tokens 3X
refuses 'no tokens' '--tokens is 0, expected 1 or more' plan stories15m --tokens 0
refuses 'tokens without end' '--tokens: inf unit not recognized' plan stories15m --tokens inf

# ── Training one ────────────────────────────────────────────────────────────────────────────────────────────────────

seq 1 3000 >text.txt
check 'a preset that fits trains' "$program" train --recipe stories260k --tokenizer bytes --data text.txt --steps 1 --out tiny
check 'as what it is' bash -c '"$0" info tiny | grep -q "^model      5 layers of width 64, 8 query and 4 key/value heads of 8,$"' "$program"
refuses 'a preset that does not fit' 'this training run needs at least' train --recipe llama-3.1-405b --data text.txt --steps 1 --out large
check 'which leaves nothing behind' test ! -e large
refuses 'a preset that does not exist' 'the nearest preset is llama-7b' train --recipe llama-7 --data text.txt --steps 1 --out large

sed 's/rope_theta: 10000/rope_theta: 10000\n  rope_scaling: llama3\n  rope_factor: 4\n  rope_original_context: 64/; s/batch: 128/batch: 2/' \
  "$source/data/presets/stories260k.yaml" >scaled.yaml
check 'a recipe that stretches wavelengths' "$program" train --recipe scaled.yaml --tokenizer bytes --data text.txt --steps 1 --out scaled
check 'is written into the model' bash -c 'grep -A 5 rope_scaling scaled/config.json | grep -q "\"factor\": 4.0"'
check 'which is gone on from' "$program" train --from scaled --recipe scaled.yaml --data text.txt --steps 1 --out further
check 'and resumed' "$program" train --out further --resume --steps 2

finish
