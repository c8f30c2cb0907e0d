#!/usr/bin/env bash
# Fine-tuning as its user meets it: a model answers, a killed run goes on, and bad input gets one line.
#
#   finetune.sh PROGRAM
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

cat >small.yaml <<'END'
optimiser: {learning_rate: 1e-3}
data: {batch: 2, context: 512, lanes: 2, validation_tokens: 500, evaluations: 2}
END
tune() { "$program" finetune --recipe small.yaml "$@"; }

tune --steps 20 --threads 1 --out whole >said
check 'a model is tuned on the built-in requests, with the floor beside the loss' \
  bash -c 'grep -q "sft, requests: 483.6K parameters" said && grep -q "x floor 0.2" said && test -f whole/model.safetensors'
tune --steps 20 --threads 2 --out threads >said
check 'with the same bits on two threads' cmp whole/model.safetensors threads/model.safetensors
"$program" finetune --recipe small.yaml --steps 20 --threads 2 --out killed >said 2>&1 &
run=$!
for _ in $(seq 600); do [ -e killed/training.safetensors ] && break; sleep 0.05; done
kill -9 $run 2>/dev/null
wait $run 2>/dev/null
"$program" finetune --resume --out killed --threads 1 >said
check 'a run that was killed goes on to the same bits' cmp whole/model.safetensors killed/model.safetensors
tune --seed 2 --steps 20 --out other >said
check 'another seed gives another model' bash -c '! cmp -s whole/model.safetensors other/model.safetensors'

check 'the model knows the format that it was tuned in' grep -q '### Response:' whole/tokenizer_config.json
check 'and is spoken to in it' bash -c '"$0" chat whole -p "Tell a story with a kite." -n 5 | grep -q .' "$program"
"$program" stories --requests --count 3 --out requests.json >said
"$program" answer whole --requests requests.json --out answers.json --threads 1 >said
"$program" answer whole --requests requests.json --out again.json --threads 2 >said
check 'it answers requests, with the same bits on two threads' cmp answers.json again.json
check 'which can be judged' bash -c '"$0" judge --requests answers.json | grep -q "^requests     . of 3"' "$program"

for i in 1 2 3 4 5; do printf '{"instruction": "Say %s.", "output": "It is %s."}\n' $i $i; done >data.jsonl
tune --data data.jsonl --steps 2 --out files >said
check 'files of instructions are learned from' bash -c 'grep -q "sft, data.jsonl" said && test -f files/model.safetensors'

refuses 'a method that is not there' '--method is "magic", expected sft' finetune --method magic --steps 1 --out new
refuses 'a run of another command' 'the run to resume was begun by `finetune --method sft`' train --resume --out whole --steps 30
refuses 'another data for a run' 'has changed since this run began' finetune --resume --out whole --data data.jsonl --steps 30
refuses 'a model for a resumed run' 'a model to begin with is for a new run' finetune whole --resume --out whole --steps 30
refuses 'stories without questions' 'stories have no questions' finetune --data stories --recipe small.yaml --steps 1 --out new
refuses 'requests for pretraining' 'requests are for `finetune`' train --data requests --steps 1 --out new
printf '[{"instruction": "Say 1.", "output": ""}]' >empty.json
refuses 'an empty answer' 'example 1: has an empty answer' finetune --data empty.json --steps 1 --out new
printf '[{"prompt": "Say 1."}]' >keys.json
refuses 'other keys' 'has neither "messages" nor "instruction" and "output"' finetune --data keys.json --steps 1 --out new
{ printf '{"instruction": "Say much.", "output": "'; yes 'word ' | head -n 2000 | tr -d '\n'; printf '"}\n'; cat data.jsonl; } >long.jsonl
refuses 'an answer that is longer than the context' 'example 1 has' finetune --data long.jsonl --steps 1 --out new
check 'and nothing is left behind' test ! -e new

finish
