#!/usr/bin/env bash
# cria convert: models from one form to another, and what it refuses.
#
#   convert.sh PROGRAM
small=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../data/model" && pwd -P)
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

convert() { "$program" convert "$@" >said 2>&1 || { cat said && false; }; }
said() { check "$1" grep -qixE "$2" said; }  # said NAME LINE
tell() { "$program" sample "$1" -p 'One day' -n 30 --seed 5; }

# ── There and back ──────────────────────────────────────────────────────────────────────────────────────────────────

check 'a folder becomes a GGUF file' convert "$small" a.gguf
said 'which says what is in it' 'a.gguf: 483648 parameters in 29 tensors \(29 F32\)'
check 'and a folder again' convert a.gguf new/back
check 'with the same weights' cmp new/back/model.safetensors "$small/model.safetensors"
check 'the same config' cmp new/back/config.json "$small/config.json"
check 'and the same text' test "$(tell new/back)" = "$(tell "$small")"
check 'as the file has' test "$(tell a.gguf)" = "$(tell "$small")"
text='It is 12345 o'"'"'clock;  two blanks, ÄÖ 日本 <|end_of_text|>'
ids() { "$program" tokenize encode "$@" "$text"; }
check 'token ids are the same in all' test "$(ids a.gguf --special)/$(ids new/back)" = "$(ids "$small" --special)/$(ids "$small")"
for type in F16 bf16; do
  check "a folder of $type" convert "$small" "$type" --type "$type"
  check 'to GGUF, as it is' convert "$type" "$type.gguf"
  said 'has norms that llama.cpp reads' "$type.gguf: .*(22 $type, 7 F32|7 F32, 22 $type)\)"
  check 'and back' convert "$type.gguf" "$type-back"
  check 'is the same' cmp "$type/model.safetensors" "$type-back/model.safetensors"
done
for type in Q8_0 q4_0; do
  check "blocks of $type" convert "$small" "$type.gguf" --type "$type"
  check 'are not rounded twice' convert "$type.gguf" "$type-again.gguf"
  check 'but stay as they are' cmp "$type.gguf" "$type-again.gguf"
  check 'and are numbers in a folder' convert "$type.gguf" "$type"
  said 'which is said' "22 of them were $type, which cannot be written here, and are F32 now; .*"
  check 'with the same text' test "$(tell "$type")" = "$(tell "$type.gguf")"
done

# ── Fewer key and value heads ───────────────────────────────────────────────────────────────────────────────────────

check 'three heads share one key and value head' convert "$small" grouped --kv-heads 1
check 'in the config' grep -q '"num_key_value_heads": 1' grouped/config.json
check 'and can be trained on' "$program" train --from grouped --data stories --steps 2 --out trained --json
check 'to a model that still has one' grep -q '"num_key_value_heads": 1' trained/config.json
refuses 'heads that do not divide' '2 key and value heads cannot be made of 3, expected a divisor' convert "$small" x --kv-heads 2
refuses 'no heads' '0 key and value heads cannot be made of 3' convert "$small" x --kv-heads 0

# ── Adapters ────────────────────────────────────────────────────────────────────────────────────────────────────────

none='holds no adapter: expected adapter_config.json and adapter_model.safetensors in it'
refuses 'an adapter that is none' "$none" convert "$small" x --adapter "$small"
refuses 'the same when a model is run' "$none" sample "$small" --adapter "$small"
mkdir adapter && echo '{"peft_type": "LORA", "r": 8, "use_dora": true}' >adapter/adapter_config.json
refuses 'one of another kind' 'use_dora is true, expected false: it is not supported' eval "$small" --data stories --adapter adapter

# ── Scaled RoPE ─────────────────────────────────────────────────────────────────────────────────────────────────────

cp -r "$small" scaled && chmod -R u+w scaled
scaling='{"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}'
sed "s/\"rope_scaling\": null/\"rope_scaling\": $scaling/" "$small/config.json" >scaled/config.json
check 'a model with the scaling of Llama 3.1' convert scaled scaled.gguf
long() { "$program" sample "$1" -n 200 --seed 5; }
check 'is another' test "$(long scaled)" != "$(long "$small")"
check 'and the same in GGUF' test "$(long scaled.gguf)" = "$(long scaled)"
check 'and in a folder again' convert scaled.gguf scaled-back
named() { grep -qF "\"rope_scaling\":${scaling// /}" <<<"$(tr -d ' \n' <"$1/config.json")"; }
check 'where it has its name' named scaled-back
check 'It is trained on' "$program" train --from scaled.gguf --data stories --steps 2 --out on --json
check 'and on' "$program" train --resume --out on --steps 3 --json
check 'and still has it' named on

# ── What is there already ───────────────────────────────────────────────────────────────────────────────────────────

sum() { cat "$@" | cksum; }
before=$(sum a.gguf F16/*)
refuses 'a file that is there' 'a.gguf is there already; --overwrite replaces it' convert "$small" a.gguf
refuses 'a folder that is there' 'F16 is there already; --overwrite replaces it' convert "$small" F16
refuses 'a file in place of a folder' 'is a file, expected a new name, with .gguf at its end for a GGUF file' convert "$small" F16/config.json
check 'stay as they were' test "$(sum a.gguf F16/*)" = "$before"
check 'a file is replaced when asked' convert "$small" a.gguf --type F16 --overwrite
check 'and is another' test "$(sum a.gguf F16/*)" != "$before"
check 'a folder too, by what was read from it' convert F16 F16 --type F32 --overwrite
check 'whole' test "$(tell F16)" = "$(tell F16-back)"
mkdir run && cp "$small"/* run && echo keep >run/log.jsonl
refuses 'what is no part of a model' 'which is no part of a model; --overwrite would remove it' convert "$small" run --overwrite
check 'is kept' grep -q keep run/log.jsonl
mkdir empty.d
check 'an empty folder is free' convert "$small" empty.d
mkdir folder.gguf
refuses 'a folder in place of a file' 'folder.gguf is a folder, expected a new name' convert "$small" folder.gguf --overwrite

# ── What cannot be done ─────────────────────────────────────────────────────────────────────────────────────────────

refuses 'blocks in a folder' 'a folder cannot be written as Q8_0, expected F32, F16 or BF16' convert "$small" x --type Q8_0
refuses 'blocks that need a search' 'a GGUF file cannot be written as Q4_K, expected F32, F16, BF16, Q8_0 or Q4_0' convert "$small" x.gguf --type Q4_K
refuses 'no type' '--type is "float", expected F32, F16, BF16, Q8_0 or Q4_0' convert "$small" x.gguf --type float
refuses 'nothing to convert' 'nowhere holds no model' convert nowhere x
refuses 'no model' 'is no model: expected' convert "$small/README.md" x
refuses 'no such place' "cannot write /proc/full.gguf: No such file or directory" convert "$small" /proc/full.gguf
small_disk() (ulimit -f 1000; exec "$program" convert "$@")  # blocks of 1024 bytes; the model has 1900
for form in full full.gguf; do
  small_disk "$small" $form >said 2>&1
  check "a full disk ends with code 2 ($form)" test $? = 2
  check 'one line' test "$(wc -l <said)" = 1
  check 'that says so' grep -q "cannot write $form.*: File too large" said

  check 'and nothing half written' test -z "$(ls -d full* 2>/dev/null)"
done
mkdir abandoned.999999999.tmp && echo half >abandoned.999999999.tmp/config.json
check 'what a killed one left' convert "$small" abandoned
check 'is removed by the next' test "$(echo abandoned*)" = abandoned

finish
