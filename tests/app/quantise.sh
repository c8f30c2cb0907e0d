#!/usr/bin/env bash
# cria quantise: models with weights of few bits, and what it refuses.
#
#   quantise.sh PROGRAM
small=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../data/model" && pwd -P)
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

quantise() { "$program" quantise "$@" >said 2>&1 || { cat said && false; }; }
said() { check "$1" grep -qixE "$2" said; }  # said NAME LINE
told() { "$program" stories "$@" | sed 's/$/<|endoftext|>/' | tr -d '\n'; }
told --count 60 --seed 3 >text
loss() { "$program" eval "$1" --data text --json | sed -E 's/.*"nats_per_token":([0-9.]+).*/\1/'; }

# ── What it writes ──────────────────────────────────────────────────────────────────────────────────────────────────

check 'a folder becomes blocks' quantise "$small" q4.gguf --type Q4_0
said 'which says what is in it' 'q4.gguf: 483648 parameters in 29 tensors \(7 F32, 22 Q4_0\)'
said 'and how many bits that is' '4\.[0-9]+ bits per weight, .* instead of 944.6 KiB as F16'
check 'and goes on with a text' "$program" sample q4.gguf -p 'One day' -n 20
check 'a type in small letters' quantise "$small" q8.gguf --type q8_0
exact=$(loss "$small")
near() { awk -v a="$(loss "$1")" -v b="$exact" -v most="$2" 'BEGIN { exit !(a > 0 && a - b < most && b - a < most) }'; }
check 'eight bits lose next to nothing' near q8.gguf 0.01
check 'four lose some' near q4.gguf 0.05
for type in Q4_1 Q5_0 Q5_1 IQ4_NL; do
  check "$type" quantise "$small" "$type.gguf" --type "$type"
  check 'loses some' near "$type.gguf" 0.05
done
"$program" convert "$small" plain.gguf --type Q4_0 >/dev/null
check 'a search finds other scales than rounding does' bash -c '! cmp -s q4.gguf plain.gguf'
check 'of the same size' test "$(wc -c <q4.gguf)" = "$(wc -c <plain.gguf)"
check 'K types give way' quantise "$small" k.gguf --type Q4_K_M
said 'to blocks of 32 where rows have 96 numbers' 'k.gguf: .*\(7 F32, 17 Q5_0, 2 Q8_0, 2 Q4_K, 1 Q6_K\)'
check 'one thread' quantise "$small" one.gguf --type Q4_1 --threads 1
check 'writes the same' cmp one.gguf Q4_1.gguf
check 'blocks are quantised again' quantise q8.gguf again.gguf --type Q4_0
said 'with a word about it' '22 matrices were in blocks before; .*'
check 'and the metadata of the file' "$program" sample again.gguf -p 'One day' -n 5

# ── What it costs ───────────────────────────────────────────────────────────────────────────────────────────────────

divergence() { "$program" eval "$1" --against "$2" --data text --json "${@:3}" | sed -E 's/.*"kl_divergence":([-0-9.e]+).*/\1/'; }
less() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > 0 && a < b) }'; }
check 'a model does not diverge from itself' awk -v a="$(divergence "$small" "$small")" 'BEGIN { exit !(a < 1e-7 && a > -1e-7) }'
eight=$(divergence q8.gguf "$small") four=$(divergence q4.gguf "$small")
check 'eight bits do, a little' less "$eight" 0.001
check 'four more' less "$eight" "$four"
check 'but not by much' less "$four" 0.1
packed=$(divergence q4.gguf "$small" --packed)
check 'activations of 8 bits, as sample has them, lose a little more' less "$four" "$packed"
check 'and not much' less "$packed" 0.1
check 'floats lose nothing by that' test "$(divergence "$small" "$small" --packed)" = "$(divergence "$small" "$small")"
check 'as much at any number of threads' test "$(divergence q4.gguf "$small" --threads 1)" = "$(divergence q4.gguf "$small" --threads 3)"
"$program" eval q4.gguf --against "$small" --data text >said
said 'which eval states' "KL divergence   0\.[0-9]+ nats per token, from $small"
refuses 'a model that is not there' 'nowhere holds no model' eval "$small" --against nowhere --data text
"$program" train --data text --tokenizer bytes --steps 1 --out other --json >/dev/null 2>&1
refuses 'a model with other tokens' 'as the model has that it is held against' eval "$small" --against other --data text

# ── What a text says of the weights ─────────────────────────────────────────────────────────────────────────────────

told --count 100 --seed 9 >other_text
importance() { "$program" importance "$@" >said 2>&1 || { cat said && false; }; }
check 'what matrices read of a text' importance "$small" --data other_text --out i.gguf
said 'is written for all of them' 'i.gguf: of 21 matrices, on [0-9]+ tokens in [0-9]+ windows'
check 'one thread' importance "$small" --data other_text --out one_i.gguf --threads 1
check 'writes the same' cmp one_i.gguf i.gguf
check 'it weighs errors' quantise "$small" weighed.gguf --type Q4_0 --importance i.gguf
weighed=$(divergence weighed.gguf "$small")
check 'and less is lost' less "$weighed" "$four"
check 'K types take it too' quantise "$small" weighed_k.gguf --type Q4_K_M --importance i.gguf
for type in Q4_0 Q4_1; do
  check "GPTQ to $type" quantise "$small" "gptq_$type.gguf" --type $type --gptq other_text
  check 'of the same size' test "$(wc -c <"gptq_$type.gguf")" = "$(quantise "$small" searched.gguf --type $type --overwrite; wc -c <searched.gguf)"
  check 'loses less than a search' less "$(divergence "gptq_$type.gguf" "$small")" "$(divergence searched.gguf "$small")"
done
check 'and less than weights of errors' less "$(divergence gptq_Q4_0.gguf "$small")" "$weighed"
check 'largest inputs first' quantise "$small" ordered.gguf --type Q4_0 --gptq other_text --act-order --damping 0.02
check 'loses no more than a search either' less "$(divergence ordered.gguf "$small")" "$four"
check 'one thread' quantise "$small" one_gptq.gguf --type Q4_0 --gptq other_text --threads 1
check 'writes the same' cmp one_gptq.gguf gptq_Q4_0.gguf
check 'and it tells stories' "$program" sample gptq_Q4_0.gguf -p 'One day' -n 20

refuses 'importance of a model that is not there' 'nowhere holds no model' importance nowhere --data other_text --out x.gguf
refuses 'a text that is not there' 'nowhere' importance "$small" --data nowhere --out x.gguf
refuses 'what is there' 'i.gguf is there already; --overwrite replaces it' importance "$small" --data other_text --out i.gguf
refuses 'no importance' 'nowhere' quantise "$small" x.gguf --type Q4_0 --importance nowhere
refuses 'another file' 'other_text: is no importance matrix' quantise "$small" x.gguf --type Q4_0 --importance other_text
refuses 'a model as importance' 'its general.type is not said, expected imatrix' quantise "$small" x.gguf --type Q4_0 --importance q4.gguf
refuses 'that of another model' 'has 96 columns, expected' quantise other x.gguf --type Q4_0 --importance i.gguf
refuses 'GPTQ of other types' '--gptq makes Q4_0 or Q4_1, but --type is Q4_K_M' quantise "$small" x.gguf --type Q4_K_M --gptq other_text
refuses 'an order without GPTQ' '--act-order and --damping go with --gptq' quantise "$small" x.gguf --type Q4_0 --act-order
refuses 'damping below 0' '--damping is -1, expected 0 or more' quantise "$small" x.gguf --type Q4_0 --gptq other_text --damping -1
: >empty
refuses 'an empty text' 'empty is empty, expected a text' quantise "$small" x.gguf --type Q4_0 --gptq empty

# ── What it refuses ─────────────────────────────────────────────────────────────────────────────────────────────────

refuses 'no type' '--type is required' quantise "$small" x.gguf
refuses 'a type that it does not know' '--type is "nf4", expected Q8_0, Q4_0,' quantise "$small" x.gguf --type nf4
refuses 'a type without blocks' '--type is "F16", expected Q8_0, Q4_0,' quantise "$small" x.gguf --type F16
refuses 'a folder' 'x is to hold blocks, expected a name that ends in .gguf' quantise "$small" x --type Q4_0
refuses 'what is there' 'q4.gguf is there already; --overwrite replaces it' quantise "$small" q4.gguf --type Q8_0
check 'unless it is to go' quantise "$small" q4.gguf --type Q8_0 --overwrite
check 'for what was asked' cmp q4.gguf q8.gguf
refuses 'no model' 'nowhere holds no model' quantise nowhere x.gguf --type Q4_0

# NaN and numbers that no float16 scale reaches, in the weight at the end of the file.
spoilt() { cp -r "$small" "$1" && chmod -R u+w "$1" && printf "$2" | dd of="$1/model.safetensors" bs=1 seek=$3 conv=notrunc 2>/dev/null; }
last=$(($(wc -c <"$small/model.safetensors") - 96 * 4 - 4))  # of a matrix; behind it is a norm
spoilt nan '\000\000\300\177' $last
spoilt large '\000\000\200\176' $last
refuses 'NaN' 'holds nan, which cannot be written as Q4_0' quantise nan x.gguf --type Q4_0
refuses 'what is too large' 'holds 8.507059' quantise large x.gguf --type Q5_1
refuses 'NaN in GPTQ' 'holds nan, which cannot be written as Q4_0' quantise nan x.gguf --type Q4_0 --gptq other_text
refuses 'what is too large' 'holds 8.507059' quantise large x.gguf --type Q4_1 --gptq other_text
refuses 'importance of NaN' 'weights are probably damaged' importance nan --data other_text --out x.gguf
check 'and nothing is left behind' test -z "$(ls -d x* 2>/dev/null)"

finish
