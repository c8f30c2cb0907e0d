#!/usr/bin/env bash
# Training on several ranks under mpirun: the bytes of one process, going on with other numbers of ranks, and what happens
# when a rank is killed or stopped.
#
#   mpi.sh PROGRAM
#
# Skipped, visibly, where there is no mpirun, or the program was built without MPI. It leaves out the network: all ranks
# are on this machine.
model=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)/data/model
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

seq 1 3000 >text.txt
cat >tiny.yaml <<'END'
model: {dim: 32, hidden_dim: 48, layers: 2, heads: 4, kv_heads: 2, head_dim: 8}
data: {batch: 8, context: 64, lanes: 4, evaluations: 10, validation_tokens: 2000}
END
steps=100
train=(train --data text.txt --tokenizer bytes --recipe tiny.yaml --threads 1)
launcher=(mpirun --quiet --allow-run-as-root --oversubscribe --bind-to none --mca btl_vader_single_copy_mechanism none)

on_ranks() {  # on_ranks N ARGUMENT…
  local ranks=$1
  shift
  "${launcher[@]}" -n "$ranks" "$program" "$@"
}
steps_in() { wc -l 2>/dev/null <"$1/log.jsonl" || echo 0; }
# A log without what the clock decides.
timeless() { sed -E 's/"(seconds|tokens_per_second)": [0-9.]+/"\1"/g' "$1/log.jsonl"; }
no_leftovers() { ! grep -q '\.tmp$' <<<"$(ls "$1")"; }

if ! command -v mpirun >/dev/null; then
  skip 'there is no mpirun (./cria setup mpi)'
  finish
  exit
fi
on_ranks 2 "${train[@]}" --steps 1 --out tried >out 2>&1
if grep -q 'built without MPI' out; then
  skip 'the program was built without MPI (./cria setup mpi)'
  finish
  exit
fi

# ── The same bytes ──────────────────────────────────────────────────────────────────────────────────────────────────

check 'one process' "$program" "${train[@]}" --steps $steps --out one
timeless one >one.log
for ranks in 2 4; do
  check "$ranks ranks" on_ranks $ranks "${train[@]}" --steps $steps --out of-$ranks
  check "$ranks ranks give the same model" cmp one/model.safetensors of-$ranks/model.safetensors
  timeless of-$ranks >now.log
  check "and the same log, each step once" cmp one.log now.log
done

# ── A rank is lost ──────────────────────────────────────────────────────────────────────────────────────────────────

# The process that is a rank of a running mpirun.
process_of() {  # process_of MPIRUN RANK
  local process
  for process in $(cat /proc/"$1"/task/*/children); do
    tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | grep -qxF "OMPI_COMM_WORLD_RANK=$2" && echo "$process" && return
  done
}

lose() {  # lose SIGNAL RANK FOLDER RANKS STEPS [OPTION…]: one gets a signal once there is a checkpoint; says how long all
  # took to end. On a busy machine a short run may be over before the signal comes: then another is begun.
  local signal=$1 rank=$2 folder=$3 ranks=$4 steps=$5 launched lost began attempt
  shift 5
  for attempt in 1 2 3 4 5; do
    rm -rf "$folder"
    CRIA_SILENCE=3 "${launcher[@]}" -n "$ranks" "$program" "${train[@]}" --steps "$steps" --out "$folder" "$@" >out 2>err &
    launched=$!
    while kill -0 $launched 2>/dev/null && [ "$(steps_in "$folder")" -lt $((steps / 8)) ]; do sleep 0.02; done
    lost=$(process_of $launched "$rank")
    began=$SECONDS
    [ -n "$lost" ] && kill "-$signal" "$lost"
    wait $launched
    took=$((SECONDS - began))
    [ -z "$lost" ] || [ "$(steps_in "$folder")" -ge "$steps" ] || break
  done
  [ -n "$lost" ] && [ "$(steps_in "$folder")" -lt "$steps" ]
  result "rank $rank gets SIG$signal in the middle of a run" $? "process '$lost', $(steps_in "$folder") steps"
}

resumed_on=(3 2 1 4)
for signal in KILL STOP; do
  for rank in 2 0; do
    name="rank $rank gets SIG$signal" folder=$signal-$rank
    lose $signal $rank "$folder" 4 $steps
    echo "$name: all had ended after $took s"
    grep -m3 . err
    [ $took -lt 30 ]
    result "$name: all end within 30 s" $? "after $took s"
    says='has ended'
    [ $signal = KILL ] || says='has not answered for 3 s'
    [ "$(grep -c '^cria: ' err)" = 1 ] && grep -q "^cria: rank $rank (process [0-9]* on .*) $says: " err
    result "$name: a line says which it was" $? "$(cat err)"
    check "$name: no half-written file is left" no_leftovers "$folder"
    ranks=${resumed_on[0]} resumed_on=("${resumed_on[@]:1}")
    check "$name: the run goes on with $ranks ranks" on_ranks "$ranks" train --resume --out "$folder" --threads 1
    check "$name: and has the same model" cmp one/model.safetensors "$folder/model.safetensors"
  done
done

# ── Ends that are asked for, and wrong use ──────────────────────────────────────────────────────────────────────────

"${launcher[@]}" -n 2 "$program" "${train[@]}" --steps $steps --out stopped >stopped.out 2>&1 &
launched=$!
while kill -0 $launched 2>/dev/null && [ "$(steps_in stopped)" -lt 5 ]; do sleep 0.02; done
kill -TERM "$(process_of $launched 0)"
wait $launched
check 'rank 0 is asked to end: the run is saved' grep -q '^Interrupted at step' stopped.out
check 'and one process goes on' "$program" train --resume --out stopped --threads 1
check 'to the same model' cmp one/model.safetensors stopped/model.safetensors

refuses_on_ranks() {  # refuses_on_ranks NAME RANKS PART ARGUMENT…: one line of all ranks, with PART in it
  local name=$1 ranks=$2 part=$3
  shift 3
  ! on_ranks "$ranks" "$@" >out 2>err && [ "$(grep -c '^cria: ' err)" = 1 ] && grep -qF -- "$part" err
  result "$name" $? "$(cat err)"
}
refuses_on_ranks 'more ranks than lanes' 5 '5 ranks cannot share 4 lanes' "${train[@]}" --steps 3 --out five
refuses_on_ranks 'data that is not there' 2 'missing.txt' train --data missing.txt --out missing
refuses_on_ranks 'an option that is not there' 2 '--stepz' train --stepz 3
refuses_on_ranks 'another command' 2 'only train, sample and plan --measure run on several ranks, not chat' chat

# ── Training a model that ranks have together ───────────────────────────────────────────────────────────────────────

few=20
parts=("${train[@]}" --parallel tensor)
check 'one process, fewer steps' "$program" "${train[@]}" --steps $few --out few
losses() { grep -o '"loss": [0-9.]*' "$1/log.jsonl" | cut -d ' ' -f 2; }
# Sums over ranks are rounded otherwise. Measured, with all kernels: 1.3e-8 apart after 20 steps, 2e-7 after 100.
near() {  # near FOLDER: the losses of all steps are those of one process, but for that
  [ "$(steps_in "$1")" = $few ] &&
    paste <(losses few) <(losses "$1") | awk '{e = $2 / $1 - 1; if (e < 0) e = -e; if (e > 3e-8) exit 1}'
}
for ranks in 2 4; do
  check "$ranks ranks, tensor parallel" on_ranks $ranks "${parts[@]}" --steps $few --out parts-$ranks
  check "$ranks ranks, tensor parallel: the losses of one process" near parts-$ranks
done
check 'the same ranks once more' on_ranks 2 "${parts[@]}" --steps $few --out again
check 'have the same bits' cmp parts-2/model.safetensors again/model.safetensors
timeless parts-2 >expected
timeless again >now.log
check 'and the same log' cmp expected now.log
check 'the model is whole' "$program" sample parts-2 -p 1000 -n 5 --threads 1

lose KILL 1 lost 2 $few --parallel tensor --save-minutes 0.0001
check 'tensor parallel: no half-written file is left' no_leftovers lost
for to in lost-4 lost-data lost-one; do cp -r lost $to; done
check 'the run goes on with 2 ranks' on_ranks 2 train --resume --out lost --parallel tensor
check 'and has the same bits' cmp parts-2/model.safetensors lost/model.safetensors
check 'or with 4' on_ranks 4 train --resume --out lost-4 --parallel tensor
check 'or with 2 that share batches' on_ranks 2 train --resume --out lost-data --threads 1
check 'or with one process' "$program" train --resume --out lost-one --threads 1
for to in lost-4 lost-data lost-one; do check "$to: the losses of one process" near $to; done
check 'a model is trained further in parts' on_ranks 2 train --from few --data text.txt --recipe tiny.yaml --steps 3 \
  --parallel tensor --out further

refuses_on_ranks 'more ranks than groups of heads' 3 '3 ranks cannot share 4 heads in 2 groups' "${parts[@]}" --out three
refuses_on_ranks 'a pipeline that trains' 2 '--parallel is "pipeline", expected data or tensor' "${train[@]}" \
  --parallel pipeline --out piped
refuses_on_ranks 'threads that would wait for each other' 2 '--threads is 2' train --data text.txt \
  --recipe tiny.yaml --parallel tensor --threads 2 --out threads
refuses 'one process that is to share' '--parallel is for several ranks' "${parts[@]}" --out alone

# ── A model that ranks have together ────────────────────────────────────────────────────────────────────────────────

sample=(sample -p Once -n 40 --temperature 0 --threads 1)
"$program" "${sample[@]}" >expected
for way in 'tensor 2' 'tensor 3' 'pipeline 2' 'pipeline 3'; do
  read -r parallel ranks <<<"$way"
  check "$ranks ranks sample, $parallel parallel" on_ranks "$ranks" "${sample[@]}" --parallel "$parallel"
  cmp -s expected out
  result "$ranks ranks, $parallel parallel: the text of one process, once" $? "$(cat out)"
done
printf '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Once"}]}\n%.0s' {1..20} >chats
for method in lora adapter; do
  check "$method is trained" "$program" finetune "$model" --method $method --data chats --steps 1 --threads 1 --out $method
  "$program" "${sample[@]}" --adapter $method >expected
  check "2 ranks sample with $method in a pipeline" on_ranks 2 "${sample[@]}" --adapter $method --parallel pipeline
  cmp -s expected out
  result "2 ranks with $method: the text of one process" $? "$(cat out)"
done
refuses_on_ranks 'an adapter that is to be divided' 2 'merge it first' "${sample[@]}" --adapter lora --parallel tensor
refuses_on_ranks 'what the ranks share is not said' 2 '--parallel tensor, or --parallel pipeline' "${sample[@]}"
refuses_on_ranks 'a way that is not there' 2 '--parallel is "data", expected tensor or pipeline' "${sample[@]}" --parallel data
refuses_on_ranks 'more ranks than layers' 5 '5 ranks cannot share 3 layers' "${sample[@]}" --parallel pipeline
refuses_on_ranks 'a model that is not there' 2 'nowhere' sample nowhere -p Once --parallel tensor
refuses_on_ranks 'many texts' 2 '--count and --prompts are for one process' "${sample[@]}" --count 2 --parallel tensor
refuses 'one process' '--parallel is for several ranks' "${sample[@]}" --parallel tensor

# ── What is sent, as predicted ──────────────────────────────────────────────────────────────────────────────────────

for ranks in 2 3; do
  check "$ranks ranks measure a plan" on_ranks "$ranks" plan "$model" --measure
  as_predicted out
  result "$ranks ranks: each sends what was predicted, byte for byte" $? "$(cat out)"
done
refuses_on_ranks 'a plan without measuring' 2 'only measure' plan "$model"
refuses_on_ranks 'a network that is measured' 2 'beside --measure only' plan "$model" --measure --network 1
refuses 'one process that is to measure' '--measure is for several ranks' plan "$model" --measure

# Ranks that would sample different texts, and wait for each other for ever.
usual=("${sample[@]}" --parallel tensor)
refuses_unlike() {  # refuses_unlike NAME PART COMMAND…: rank 1 runs this, rank 0 the usual one
  local name=$1 part=$2
  shift 2
  ! timeout 60 "${launcher[@]}" -n 1 "$program" "${usual[@]}" : -n 1 "$@" >out 2>err &&
    [ "$(grep -c '^cria: ' err)" = 1 ] && grep -qF -- "$part" err && [ ! -s out ]
  result "$name" $? "$(cat out err)"
}
unlike_model() {  # unlike_model NAME PART FILE SED: rank 1 has another file in its model
  rm -rf unlike && cp -r "$model" unlike && sed -i "$4" "unlike/$3"
  ! cmp -s "$model/$3" "unlike/$3"
  result "$1: the file differs" $?
  refuses_unlike "$1" "$2" "$program" sample unlike "${sample[@]:1}" --parallel tensor
}
refuses_unlike 'other kernels' 'rank 1 computes with portable of' \
  env CRIA_SIMD=portable "$program" "${sample[@]}" --parallel tensor
refuses_unlike 'another seed' 'rank 1 has other options' "$program" "${sample[@]}" --seed 2 --parallel tensor
refuses_unlike 'fewer tokens' 'rank 1 has other options' \
  "$program" sample -p Once -n 39 --temperature 0 --threads 1 --parallel tensor
refuses_unlike 'another cut' 'rank 1 has other options' "$program" "${sample[@]}" --parallel pipeline
unlike_model 'another model' 'rank 1 has another model than rank 0' \
  config.json 's/"rope_theta": 100000/"rope_theta": 10000/'
unlike_model 'another tokenizer' 'rank 1 has another tokenizer than rank 0' \
  tokenizer.json 's/"<|begin_of_text|>"/"<|begins|>"/'
usual=(plan "$model" --measure)
refuses_unlike 'a plan of what only rank 0 has' 'rank 1: ' "$program" plan nowhere --measure
refuses_unlike 'a plan of something else' 'rank 1 has another model, or another --context, than rank 0' \
  "$program" plan "$model" --context 32 --measure

CRIA_SILENCE=3 "${launcher[@]}" -n 2 "$program" sample one -p 1000 -n 1000000 --threads 1 --parallel tensor >out 2>err &
launched=$!
until [ -s out ] || ! kill -0 $launched 2>/dev/null; do sleep 0.02; done
kill -KILL "$(process_of $launched 1)"
wait $launched
[ "$(grep -c '^cria: ' err)" = 1 ] && grep -q '^cria: rank 1 (process [0-9]* on .*) has ended: ' err
result 'a rank that dies while it samples is named' $? "$(cat err)"
finish
