#!/usr/bin/env bash
# What models of others are like, and the commands that run one: sample, trace, info. Also the numbers that every option
# of every command takes.
#
#   models.sh PROGRAM
small=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../data/model" && pwd -P)
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# copy NAME [SED…]: the small model, its config.json changed
copy() {
  rm -rf "$1" && cp -r "$small" "$1" && chmod -R u+w "$1"
  [ $# = 1 ] || { sed "$2" "$small/config.json" >"$1/config.json"; ! cmp -s "$1/config.json" "$small/config.json"; }
}

# ── config.json and generation_config.json ──────────────────────────────────────────────────────────────────────────

tell() { "$program" sample "$@" -p 'One day' -n 30 --seed 5; }
check 'theta of transformers 5' copy v5 's/"rope_theta": \(.*\),/"rope_parameters": {"rope_theta": \1, "rope_type": "default"},/'
check 'is read where it stands' test "$(tell v5)" = "$(tell "$small")"
check 'another theta there' copy v5 's/"rope_theta": .*,/"rope_parameters": {"rope_theta": 3.0, "rope_type": "default"},/'
check 'tells another text' test "$(tell v5)" != "$(tell "$small")"
check 'a key that nobody knows' copy odd 's/"hidden_act"/"logit_scale": 0.5, "hidden_act"/'
for command in 'sample odd' 'info odd' 'eval odd --data stories' 'trace odd -p x --out traced'; do
  refuses "is refused by ${command%% *}" 'config.json: logit_scale is 0.5, a key that cria does not know' $command
done

quantised() { copy "$1" "s/\"hidden_act\"/\"quantization_config\": {$2}, \"hidden_act\"/"; }
gptq='"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": true'
check 'a folder that may have quantised weights' quantised packed "$gptq"
check 'has the numbers that it stores nevertheless' test "$(tell packed)" = "$(tell "$small")"
"$program" info packed >said
check 'and info states the scheme' grep -q '^stored *GPTQ, 4 bits in groups of 128, act-order; *32.00 bits a weight' said
quantised nf4 '"quant_method": "bitsandbytes", "bnb_4bit_quant_type": "nf4"'
for command in 'sample nf4' 'info nf4' 'convert nf4 nf4.gguf'; do
  refuses "another is refused by ${command%% *}" 'quantization_config.quant_method is "bitsandbytes", expected "gptq" or' $command
done

copy greedy
echo '{"do_sample": false, "temperature": 0.6}' >greedy/generation_config.json
check "the model's own way to sample" test "$(tell greedy)" = "$(tell "$small" --temperature 0)"
check 'gives way to what is asked for' test "$(tell greedy --temperature 1)" = "$(tell "$small")"
ids=$("$program" tokenize encode "$small" "$(tell greedy)" | tr ' ' '\n')
tenth=$(sed -n 10p <<<"$ids")
echo "{\"do_sample\": false, \"eos_token_id\": [1, $tenth]}" >greedy/generation_config.json
check 'any of several end tokens ends the text' test "$(tell greedy | wc -c)" -lt "$(tell "$small" --temperature 0 | wc -c)"
echo '{"num_beams": 4}' >greedy/generation_config.json
refuses 'a way to sample that is not there' 'num_beams is 4, expected 1: beams are not supported' sample greedy -p x

# ── Memory ──────────────────────────────────────────────────────────────────────────────────────────────────────────

check 'a model with a context of millions' copy long 's/"max_position_embeddings": .*,/"max_position_embeddings": 16777216,/'
limited() { bash -c 'ulimit -v 2000000; exec "$0" "$@"' "$program" "$@"; }
if limited --version >out 2>&1; then  # the address sanitizer alone takes terabytes of addresses
  check 'is sampled in the memory that a short text needs' limited sample long -p One -n 5
fi
check 'with the same text' test "$(tell long)" = "$(tell "$small")"
to_sample() { "$program" info "$1" --json | grep -A 3 '"decoding_memory"' | tail -n 1; }  # cache
check 'info says what a text of usual length takes' test "$(to_sample long)" = "$(to_sample "$small")"
check 'which is something' test -n "$(to_sample long)"

# ── Caches of fewer bits ─────────────────────────────────────────────────────────────────────────────────────────────

for command in 'sample -p x' 'chat --template chatml -p x' "info $small" 'eval --data stories' 'plan stories15m'; do
  refuses "a type of cache that ${command%% *} does not have" '--cache-type is "q4_0", expected f32, f16 or q8_0' \
    $command --cache-type q4_0
done
refuses 'a head that is no whole number of blocks' \
  '--cache-type is q8_0, which needs heads of a multiple of 32, and the model'"'s are 48 wide" plan stories15m --cache-type q8_0
cache_bytes() { "$program" info "$small" --json --cache-type "$1" | sed -n 's/^ *"cache_bytes": \([0-9]*\),$/\1/p'; }
check 'half of the size, as info says' test $(($(cache_bytes f32) * 2)) = $(($(cache_bytes f16) * $("$program" info | grep -q double && echo 8 || echo 4)))
check 'and 34 of 64 of that' test $(($(cache_bytes f16) * 34)) = $(($(cache_bytes q8_0) * 64))
"$program" info "$small" --cache-type q8_0 >said
check 'with the bytes of a number' grep -q '2 · 1.0625 bytes · 32 head_dim · 3 kv_heads' said
printf 'Once there was a dog named Max. He lived by the river, and his oldest wish was a red kite.\n' >told
for type in f16 q8_0; do
  "$program" eval --data told --against "$small" --cache-type $type --json >said
  check "what $type costs is little, and not nothing" awk -F '[:,]' '
    {for (i = 1; i < NF; ++i) if ($i ~ /kl_divergence/) kl = $(i + 1)} END {exit !(kl > 0 && kl < 1e-4)}' said
  check "a story by a model that remembers it in $type" test "$(tell "$small" --cache-type $type | wc -w)" -gt 15
  check 'the same on one thread' test "$(tell "$small" --cache-type $type --threads 1)" = "$(tell "$small" --cache-type $type)"
done
"$program" chat --template chatml --temperature 0 -n 12 --cache-type q8_0 -p 'Once upon a time' >said
check 'a conversation, too' test "$(wc -l <said)" = 1

# ── Prompts and tokens ──────────────────────────────────────────────────────────────────────────────────────────────

printf 'One day' >prompt.txt
check 'a prompt from a file' test "$("$program" sample --prompt-file prompt.txt -n 30 --seed 5)" = "$(tell)"
check 'from standard input' test "$("$program" sample -p - -n 30 --seed 5 <prompt.txt)" = "$(tell)"
check 'from a pipe' test "$(cat prompt.txt | "$program" sample --prompt-file - -n 30 --seed 5)" = "$(tell)"
one_by_one() {  # PROMPT COUNT SEED: as lines
  for seed in $(seq "$3" $(($3 + $2 - 1))); do
    "$program" sample -p "$1" -n 60 --seed "$seed" | tr '\n' ' ' | sed 's/ *$//'
    echo
  done
}
check 'many texts are told' eval '"$program" sample -p One -n 60 --seed 3 --count 7 >many 2>noted'
check 'which are those of one by one' test "$(cat many)" = "$(one_by_one One 7 3)"
check 'in a note how fast' grep -q '^cria: 7 texts, [0-9]* tokens in .* tokens/s$' noted
check 'however many side by side' test "$("$program" sample -p One -n 60 --seed 3 --count 7 --batch 3 --threads 1)" = "$(cat many)"
printf 'One\nA busy\n' >prompts.txt
check 'and of several prompts' test "$("$program" sample --prompts prompts.txt -n 60 --seed 3 --count 7)" = \
  "$(cat many; one_by_one 'A busy' 7 10)"
check 'as JSON, too' test "$("$program" sample --prompts prompts.txt -n 5 --json | grep -c '^{"prompt":"[OA].*"seed":[01],.*}$')" = 2
refuses 'prompts beside a prompt' 'both --prompts and one prompt are given, expected one of them' sample -p x --prompts prompts.txt
refuses 'a file without prompts' '/dev/null has no prompts, expected one a line' sample --prompts /dev/null
refuses 'no text at all' '--count is 0 for 1 prompts, expected 1 text or more of each, and 1000000 at most in all' sample --count 0
refuses 'a batch of none' '--batch is 0, expected 1 to 1024' sample --count 2 --batch 0
refuses 'two prompts' 'both --prompt and --prompt-file are given, expected one of them' sample -p x --prompt-file prompt.txt
refuses 'a prompt that is missing' 'none.txt: No such file or directory' sample --prompt-file none.txt
"$program" sample -p "$(yes Once | head -n 600 | tr '\n' ' ')" -n 1 >said 2>noted
check 'a prompt longer than the context is said to be so' \
  grep -q "more than the model's context of [0-9]*: it forgets the first [0-9]*\$" noted
"$program" trace -p 'One day' --out traced >said
check 'a trace of a text, by the small model' grep -q '^36 tensors of [2-9] tokens are in traced; loss' said
check 'and every tensor' test "$(ls traced | wc -l)" = 37
refuses 'gradients with an adapter' '--gradients are those of a model'"'"'s weights, expected no --adapter beside it' \
  trace -p x --gradients --adapter none --out traced
refuses 'a trace of nothing' 'expected a text with -p, or the .npy of token ids with --tokens' trace --out traced

# ── Numbers of all options ──────────────────────────────────────────────────────────────────────────────────────────

commands=$("$program" --help | sed -n '/^Options/,/^$/d; s/^  \([a-z]*\) .*/\1/p' | grep -vE '^(bench|book|figure|learn|tokenize)$')
for command in $commands 'tokenize train'; do
  while read -r name type; do
    refuses "$command $name that is no number" "$name: many is not a" $command $name many
    [ "$type" = FLOAT ] && large=1e999 || large=99999999999999999999
    refuses "$command $name that is too large" "$name: $large is too large" $command $name $large
  done < <("$program" $command --help | sed -n 's/^  .*\(--[a-z-]*\) \(UINT\|INT\|FLOAT\).*/\1 \2/p')
done
refuses 'a top-k beyond its type' '--top-k: 2147483648 is too large, expected at most 2147483647' sample --top-k 2147483648
check 'there were such options' test $passed -gt 40

finish
