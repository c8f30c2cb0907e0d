#!/usr/bin/env bash
# Fine-tuning as its user meets it: a model answers, a killed run goes on, and bad input gets one line.
#
#   finetune.sh PROGRAM
docs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs" && pwd -P)
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

check 'the model knows the format that it was tuned in' grep -q 'turn.content' whole/tokenizer_config.json
check 'and is spoken to in it' bash -c '"$0" chat whole -p "Tell a story with a kite." -n 5 | grep -q .' "$program"
"$program" stories --requests --count 3 --out requests.json >said
"$program" answer whole --requests requests.json --out answers.json --threads 1 >said
"$program" answer whole --requests requests.json --out again.json --threads 2 >said
check 'it answers requests, with the same bits on two threads' cmp answers.json again.json
check 'which can be judged' bash -c '"$0" judge --requests answers.json | grep -q "^requests     . of 3"' "$program"

for i in 1 2 3 4 5; do printf '{"instruction": "Say %s.", "output": "It is %s."}\n' $i $i; done >data.jsonl
tune --data data.jsonl --steps 2 --out files >said
check 'files of instructions are learned from' bash -c 'grep -q "sft, data.jsonl" said && test -f files/model.safetensors'

check 'in the format of Alpaca, as the model has none' grep -q '### Response:' files/tokenizer_config.json

# twice METHOD OPTION…: the same bits on one and two threads, and of a run that is killed and goes on, in METHOD-1 to -3
twice() { twice_as "$1" "$@"; }
# twice_as NAME METHOD OPTION…: the same in NAME-1 to -3
twice_as() {
  local name=$1 method=$2
  shift 2
  "$program" finetune whole --method "$method" --threads 1 --out "$name-1" "$@" >said 2>&1 || cat said
  "$program" finetune whole --method "$method" --threads 2 --out "$name-2" "$@" >said 2>&1
  "$program" finetune whole --method "$method" --threads 2 --save-minutes 0.0001 --out "$name-3" "$@" >said 2>&1 &
  local run=$!
  for _ in $(seq 600); do [ -e "$name-3/training.safetensors" ] && break; sleep 0.05; done
  kill -9 $run 2>/dev/null
  wait $run 2>/dev/null
  "$program" finetune --method "$method" --resume --out "$name-3" --threads 1 >said
  for file in "$name-1"/*model.safetensors; do
    check "$name: the same bits on two threads" cmp "$file" "$name-2/$(basename "$file")"
    check "$name: a run that was killed goes on to the same bits" cmp "$file" "$name-3/$(basename "$file")"
  done
}

cat >lora.yaml <<'END'
optimiser: {learning_rate: 1e-3}
data: {batch: 2, context: 512, lanes: 2, validation_tokens: 500, evaluations: 2}
lora: {rank: 4, targets: "q_proj, v_proj", dropout: 0.1}
END
twice lora --steps 12 --recipe lora.yaml
cp -r whole base && "$program" finetune base --method lora --steps 2 --recipe lora.yaml --out over >said
cp other/model.safetensors base
refuses 'a base that is another one than an adapter began over' 'base, has changed since this run began' \
  finetune --method lora --resume --out over --steps 4
check 'an adapter is as PEFT has them' grep -q '"r": 4' lora-1/adapter_config.json
check 'and is run with its model, in the format that it was trained in' \
  bash -c '"$0" chat whole --adapter lora-1 -p "Tell a story with a kite." -n 5 | grep -q .' "$program"

{ grep -v '^lora' lora.yaml; echo 'adapter: {prompt: 4, layers: 2}'; } >adapter.yaml
twice adapter --steps 12 --recipe adapter.yaml
check 'a LLaMA-Adapter says what it is' grep -q '"peft_type": "LLAMA_ADAPTER"' adapter-1/adapter_config.json
check 'and is run with its model, in the format that it was trained in' \
  bash -c '"$0" chat whole --adapter adapter-1 -p "Tell a story with a kite." -n 5 | grep -q .' "$program"
"$program" answer whole --adapter adapter-1 --requests requests.json --out adapted.json --threads 1 >said
"$program" answer whole --adapter adapter-1 --requests requests.json --out again.json --threads 2 >said
check 'it answers requests, with the same bits on two threads' cmp adapted.json again.json
check 'otherwise than its model alone' bash -c '! cmp -s adapted.json answers.json'
sed 's/prompt: 4/version: 2, prompt: 4/' adapter.yaml >adapter2.yaml
twice_as adapter2 adapter --steps 12 --recipe adapter2.yaml
check 'version 2 has scales and biases' grep -q adapter_scale adapter2-1/adapter_model.safetensors
"$program" finetune whole --method adapter --recipe <(sed 's/prompt: 4/gate: layer, prompt: 4/' adapter.yaml) --steps 2 --out peft >said
check 'with a gate for each layer it is of the type that PEFT has' grep -q '"ADAPTION_PROMPT"' peft/adapter_config.json
refuses 'an adapter in more layers than there are' 'in the last 4 layers, but the model has 3' \
  finetune whole --method adapter --recipe <(sed 's/layers: 2/layers: 4/' adapter.yaml) --steps 1 --out new
refuses 'a gate of another kind' 'adapter.gate is row, expected head or layer' \
  finetune whole --method adapter --recipe <(sed 's/layers: 2/gate: row/' adapter.yaml) --steps 1 --out new
refuses 'to merge what has no place in a Llama' 'is a LLaMA-Adapter, which cannot be merged' convert whole merged --adapter adapter-1
sed 's/"adapter_layers": 2/"adapter_layers": 1/' adapter-1/adapter_config.json >config && cp -r adapter-1 other-adapter && cp config other-adapter/adapter_config.json
refuses 'an adapter for another model' 'it is for another model' sample whole --adapter other-adapter -p x

for i in 1 2 3 4 5 6 7 8; do
  printf '{"prompt": "Tell %s.", "chosen": "Once Ruby lived here, %s.", "rejected": "No, %s."}\n' $i $i $i
done >pairs.jsonl
cat >dpo.yaml <<'END'
optimiser: {learning_rate: 1e-3}
data: {batch: 4, context: 128, lanes: 2, validation: 0.25, evaluations: 2}
dpo: {beta: 0.2, label_smoothing: 0.1}
END
twice dpo --steps 10 --recipe dpo.yaml --data pairs.jsonl
check 'the first loss of DPO is log 2' bash -c 'head -n 1 dpo-1/log.jsonl | grep -q "\"loss\": 0.69314718"'
check 'and it falls' bash -c 'tail -n 1 dpo-1/log.jsonl | grep -q "\"loss\": 0.[0-5].*\"accuracy\": 1"'

sed 's/^dpo: {/&nll_weight: 0.2, /' dpo.yaml >nll.yaml
twice_as dpo-nll dpo --steps 4 --recipe nll.yaml --data pairs.jsonl
check 'where the chosen answer counts by itself, the first loss is more' bash -c '! head -n 1 dpo-nll-1/log.jsonl | grep -q "\"loss\": 0.69314718"'
sed '/^dpo/d' dpo.yaml >reward.yaml
twice reward --steps 20 --recipe reward.yaml --data pairs.jsonl
check 'a reward model tells the better answer' bash -c 'tail -n 1 reward-1/log.jsonl | grep -q "\"accuracy\": 1"'
check 'and has the head that it is known by' grep -q LlamaForSequenceClassification reward-1/config.json
refuses 'a reward model to speak to' 'reward-1' chat reward-1 -p x
refuses 'a reward model without pairs' 'a reward model learns from pairs of answers: --data FILE' finetune whole --method reward --steps 1 --out new

cat >policy.yaml <<'END'
optimiser: {learning_rate: 1e-3}
data: {batch: 4, context: 200, micro_batch: 2, lanes: 2, evaluations: 2}
policy: {prompts: 2, samples: 2, answer_tokens: 40, judged: 2, missing_end: subtract, missing_end_penalty: 0.5}
END
twice ppo --steps 4 --recipe policy.yaml
check 'PPO begins at its reference' bash -c 'head -n 1 ppo-1/log.jsonl | grep -q "\"KL\": 0,"'
check 'its critic is in the checkpoint, not in the model' \
  bash -c 'grep -q critic.weights ppo-1/training.safetensors && ! grep -q critic ppo-1/model.safetensors'
twice grpo --steps 4 --recipe policy.yaml
check 'and GRPO' bash -c 'head -n 1 grpo-1/log.jsonl | grep -q "\"KL\": 0,"'
sed '/^policy/s/policy: {/policy: {learns: lora, /' policy.yaml >policy-lora.yaml
echo 'lora: {rank: 2}' >>policy-lora.yaml
twice_as grpo-lora grpo --steps 4 --recipe policy-lora.yaml --reward reward-1
check 'beside the base an adapter learns, from the same reference' bash -c 'head -n 1 grpo-lora-1/log.jsonl | grep -q "\"KL\": 0,"'
check 'of the recipe' grep -q '"r": 2' grpo-lora-1/adapter_config.json
"$program" answer whole --adapter grpo-lora-1 --requests requests.json --out adapted.json >said
check 'which answers with its model, otherwise than that alone' bash -c '! cmp -s adapted.json answers.json'
twice_as ppo-lora ppo --steps 2 --recipe policy-lora.yaml
refuses 'to learn something else' 'policy.learns is adapter, expected one of all, lora' \
  finetune whole --method grpo --recipe <(sed 's/learns: lora/learns: adapter/' policy-lora.yaml) --steps 1 --out new
twice_as marked grpo --steps 4 --recipe policy.yaml --reward reward-1
check 'a reward model is learned from, and the judge asked beside it' \
  bash -c 'tail -n 1 marked-1/log.jsonl | grep "\"obeyed\"" | grep "\"held-out reward\"" | grep -q "\"right\""'
check 'which gives another model than the judge' bash -c '! cmp -s grpo-1/model.safetensors marked-1/model.safetensors'
twice_as marked-ppo ppo --steps 2 --recipe policy.yaml --reward reward-1
refuses 'a language model as a reward model' 'whole' \
  finetune whole --method grpo --recipe policy.yaml --reward whole --steps 1 --out new
refuses 'a reward model that is not there' 'nowhere holds no reward model' \
  finetune whole --method grpo --recipe policy.yaml --reward nowhere --steps 1 --out new
cp -r reward-1 mute && rm mute/tokenizer.json
refuses 'a reward model without tokenizer' 'has no tokenizer, expected the one of the model that it is to judge' \
  finetune whole --method grpo --recipe policy.yaml --reward mute --steps 1 --out new
cp -r reward-1 foreign && sed -i "s/turn.content/turn.content + '!'/" foreign/tokenizer_config.json
refuses 'a reward model that learned in another format' 'foreign has another chat format than the model' \
  finetune whole --method grpo --recipe policy.yaml --reward foreign --steps 1 --out new
refuses 'a reward model for a method without rewards' '--reward is for the methods rejection, ppo and grpo' \
  finetune whole --method sft --reward reward-1 --steps 1 --out new
"$program" finetune whole --method reward --steps 1 --recipe reward.yaml --data pairs.jsonl --out reward-other >said
refuses 'another reward model for a run' 'the reward model, changed since this run began' \
  finetune --method grpo --resume --steps 5 --out marked-1 --reward reward-other
cp -r reward-1 reward-moved
check 'the same one elsewhere is taken' "$program" finetune --method grpo --resume --steps 5 --out marked-1 --reward reward-moved
refuses 'a switch that is not there' 'policy.missing_end is skip, expected one of keep, subtract, replace' \
  finetune whole --method ppo --recipe <(sed 's/subtract,/skip,/' policy.yaml) --steps 1 --out new
refuses 'a group of one' 'samples is 1, expected at least 2' \
  finetune whole --method grpo --recipe <(sed 's/samples: 2/samples: 1/' policy.yaml) --steps 1 --out new
refuses 'a key of PPO for GRPO' 'unknown key policy.gamma' \
  finetune whole --method grpo --recipe <(sed 's/judged: 2/gamma: 1/' policy.yaml) --steps 1 --out new

check 'the demo of all methods' "$program" demo align --minutes 0.02 --judged 3 --out align
check 'and its picture' test -s align/align.svg
refuses 'a demo from a model that obeys nothing' 'obeys none of 3 requests' \
  demo align --minutes 0.02 --judged 3 --from "$docs/../data/model" --out disobedient
check 'and what it trained before stays' test -f disobedient/sft/model.safetensors
refuses 'a demo from no model' 'nowhere' demo align --from nowhere --out new
refuses 'a folder that is taken' 'align is not empty' demo align --minutes 0.02 --judged 3 --out align

for method in lora adapter reward rejection dpo ppo grpo; do
  "$program" finetune --method $method --list-recipe >keys
  check "docs/recipes.md has the keys of $method" bash -c '! grep -vxFf "$1" keys' - "$docs/recipes.md"
done

refuses 'dpo without pairs' 'dpo learns from pairs of answers: --data FILE' finetune whole --method dpo --steps 1 --out new
refuses 'dpo from requests' 'have no preferences, expected files of pairs' finetune whole --method dpo --data requests --steps 1 --out new
printf '[{"prompt": "Say 1.", "chosen": "One."}]' >half.json
refuses 'a pair without a preference' 'example 1: has no preference: "rejected" is missing' finetune whole --method dpo --data half.json --steps 1 --out new
printf '[{"prompt": "Say 1.", "chosen": "One.", "rejected": " "}]' >blank.json
refuses 'an empty answer in a pair' 'example 1: "rejected" is an empty answer' finetune whole --method dpo --data blank.json --steps 1 --out new
printf '[{"prompt": "Say 1.", "chosen": "One.", "rejected": "One."}]' >same.json
refuses 'two answers that are the same' 'both answers are the same' finetune whole --method dpo --data same.json --steps 1 --out new
sed 's/batch: 4/batch: 3/' dpo.yaml >odd.yaml
refuses 'half a pair' 'data.batch is 3, expected an even number' finetune whole --method dpo --recipe odd.yaml --data pairs.jsonl --steps 1 --out new
sed 's/beta: 0.2/beta: 0/' dpo.yaml >beta.yaml
refuses 'a beta of 0' 'beta is 0, expected more than 0' finetune whole --method dpo --recipe beta.yaml --data pairs.jsonl --steps 1 --out new
refuses 'a key of another method' 'unknown key dpo.beta' finetune whole --method lora --recipe dpo.yaml --steps 1 --out new
twice_as grpo-own grpo --steps 4 --recipe policy.yaml --data pairs.jsonl --reward reward-1
check 'prompts of one'"'"'s own have marks only' \
  bash -c 'tail -n 1 grpo-own-1/log.jsonl | grep -q "held-out reward" && ! grep -qE "obeyed|right" grpo-own-1/log.jsonl'
printf '{"messages": [{"role": "user", "content": "Say 1."}, {"role": "assistant", "content": "One."}]}' >one.jsonl
refuses 'one prompt, which is held out' 'of 1 prompts none is left to train on' \
  finetune whole --method ppo --recipe policy.yaml --data one.jsonl --reward reward-1 --steps 1 --out new
printf '[{"chosen": "One.", "rejected": "Two."}]' >unasked.json
refuses 'answers without a question' 'example 1: has no prompt, expected "prompt", "instruction" or "messages"' \
  finetune whole --method ppo --recipe policy.yaml --data unasked.json --reward reward-1 --steps 1 --out new
printf '{"messages": [{"role": 5, "content": "x"}]}' >role.jsonl
refuses 'a role that is no text' 'role.jsonl, example 1: ' \
  finetune whole --method ppo --recipe policy.yaml --data role.jsonl --reward reward-1 --steps 1 --out new
printf '{"prompt": "%0250d"}\n{"prompt": "x"}' 0 >long.jsonl
refuses 'a prompt that leaves no room' 'tokens, more than a context of 200 has room for' \
  finetune whole --method grpo --recipe policy.yaml --data long.jsonl --reward reward-1 --steps 1 --out new
refuses 'stories as prompts' 'stories have no prompts, expected files' \
  finetune whole --method ppo --recipe policy.yaml --data stories --reward reward-1 --steps 1 --out new
refuses 'answers that nobody can judge' 'have no judge, expected a reward model' finetune whole --method rejection --data data.jsonl --steps 1 --out new

cat >rejection.yaml <<'END'
optimiser: {learning_rate: 1e-3}
data: {batch: 2, context: 256, lanes: 2, evaluations: 2}
rejection: {prompts: 3, samples: 2, steps: 4, judged: 2, least_reward: 0}
END
twice rejection --steps 10 --recipe rejection.yaml
sed 's/least_reward: 0/least_reward: -100/' rejection.yaml >any.yaml
twice_as marked-rejection rejection --steps 5 --recipe any.yaml --reward reward-1
check 'the answers of all rounds are kept' bash -c 'tail -n 1 rejection-1/log.jsonl | grep -q "\"kept\": 9"'
sed 's/least_reward: 0/least_reward: 1/' rejection.yaml >strict.yaml
refuses 'a model that gives no right answer' 'is good enough to learn from' finetune whole --method rejection --recipe strict.yaml --steps 1 --out strict
sed 's/samples: 2/samples: 0/' rejection.yaml >none.yaml
refuses 'no answers' 'must be at least 1' finetune whole --method rejection --recipe none.yaml --steps 1 --out new
refuses 'pairs of answers that are all the same' '--temperature must be above 0' pairs whole --temperature 0 --out new
refuses 'pairs of a model that gives no right answer' 'none has both a right and a wrong answer' pairs whole --count 2 --samples 2 --out new

printf '[{"prompt": "Say 1."}]' >keys.json
cat >alike.jsonl <<'END'
{"instruction": "Name three birds that sing.", "output": "Wren, lark, robin."}
{"instruction": "Name three birds that fly.", "output": "Wren, lark, robin."}
{"messages": [{"role": "user", "content": "Write a letter to a friend."}, {"role": "assistant", "content": "Dear friend."}]}
{"instruction": "Hello there.", "output": "Hello."}
END
"$program" instructions filter alike.jsonl --out unlike.jsonl >said
check 'of instructions that are alike one is kept' \
  bash -c 'grep -q "2 of 4 kept; too short 1, too long 0, like another 1" said && grep -q "^0.80 to 0.85 *1  #" said'
check 'and what is kept can be learned from' bash -c 'test "$(wc -l <unlike.jsonl)" = 2 && grep -q "Dear friend" unlike.jsonl'

printf 'Tell a story with a kite.\n\nTell a story with a ball.\n' >questions.txt
talk() { "$program" instructions self-chat whole --questions questions.txt --turns 2 -n 300 --seed 3 "$@"; }
talk --out talk.jsonl --threads 1 >said
check 'a model talks to itself in two conversations' grep -q '^talk.jsonl: 2 conversations with' said
talk --out again.jsonl --threads 2 >said
check 'with the same bits on two threads, too' cmp talk.jsonl again.jsonl
tune --data talk.jsonl --steps 1 --out talked >said
check 'which can be learned from' test -f talked/model.safetensors
talk --instruction 'Answer in rhymes.' --out ghosts.jsonl >said
check 'Ghost attention gives the instruction once in each' bash -c 'test "$(grep -o "Answer in rhymes" ghosts.jsonl | wc -l)" = 2'

"$program" stories --requests --turns 3 --instructed --count 4 --out dialogues.jsonl >said
check 'dialogues are written' bash -c 'grep -q "4 dialogues of 3 turns, .* floor 0\.[0-9]* bits per byte" said && grep -q "I want heroes named [A-Z][a-z]*\.\\\\nI want" dialogues.jsonl'
printf 'I want heroes named Ruby.\nI want heroes named Tom.\n' >names.txt
ghost() { "$program" instructions ghost whole --data dialogues.jsonl --instructions names.txt -n 300 "$@"; }
ghost --threads 1 --out ghosts-1.jsonl >said
check 'Ghost attention takes each answer of dialogues' grep -q '^ghosts-1.jsonl: [0-9]* conversations with' said
ghost --threads 2 --out ghosts-2.jsonl >said
check 'with the same bits on two threads, too' cmp ghosts-1.jsonl ghosts-2.jsonl
check 'and only the last answer is learned from' bash -c 'grep -q "\"weight\":0},{\"role\":\"user\"" ghosts-1.jsonl && ! grep -q "\"weight\":0}\]" ghosts-1.jsonl'
obey() { "$program" instructions obedience whole --dialogues 5 --turns 2 -n 40 "$@"; }
obey --threads 1 --log obeyed-1.jsonl >said
check 'obedience is measured, turn by turn' grep -q '^   2 .* % ' said
obey --threads 2 --log obeyed-2.jsonl >said
check 'with the same bits on two threads as well' cmp obeyed-1.jsonl obeyed-2.jsonl
refuses 'no instructions' 'has no instructions, expected one a line' instructions ghost whole --data dialogues.jsonl --instructions /dev/null --out new
refuses 'no dialogues' '--dialogues is 0, expected more' instructions obedience whole --dialogues 0
refuses 'dialogues that are no requests' '--turns is for --requests, expected both' stories --turns 3 --out new
refuses 'dialogues on the screen' 'dialogues are written to a file, expected --out' stories --requests --turns 3
refuses 'instructions without a dialogue' '--instructed is for dialogues, expected --turns with it' stories --requests --instructed
refuses 'dialogues held out' '--turns goes with --count, --seed, --grammar and --instructed only' stories --requests --turns 3 --held-out --out new
refuses 'no questions' 'has no questions, expected one a line' instructions self-chat whole --questions /dev/null --out new
refuses 'no turns' '--turns is 0, expected more' instructions self-chat whole --questions questions.txt --turns 0 --out new
refuses 'a similarity out of range' 'the similarity is 2, expected 0 to 1' instructions filter alike.jsonl --similarity 2 --out new
refuses 'an example without a question' 'example 1: has neither an "instruction" nor' instructions filter keys.json --out new

"$program" stories --count 200 --out stories.txt >said
{ cat stories.txt; yes 'The lighthouse keeper counts ships.' | head -n 200; } >more.txt
"$program" tokenize train --data more.txt --vocabulary 1000 --separator $'\n' --out more >said
"$program" tokenize train --data more.txt --vocabulary 400 --special '<x>' --out bare >said
"$program" train --from whole --tokenizer more --recipe small.yaml --data more.txt --steps 2 --out renewed >said
check 'a model goes on with another vocabulary' bash -c 'grep -q "[0-9] tokens in the vocabulary" said && "$0" info renewed | grep -q 1000' "$program"
refuses 'a reward model of another vocabulary' 'has another tokenizer, expected the one of the model that it is to judge' \
  finetune renewed --method grpo --recipe policy.yaml --reward reward-1 --steps 1 --out new
refuses 'a tokenizer without the end of a text' 'which the model'"'"'s texts begin or end with' \
  train --from whole --tokenizer bare --data more.txt --steps 1 --out new
refuses 'a kind of tokenizer for a model' '--tokenizer is "bytes", but a model has its tokenizer' \
  train --from whole --tokenizer bytes --data more.txt --steps 1 --out new

refuses 'a method that is not there' '--method is "magic", expected one of sft, lora' finetune --method magic --steps 1 --out new
refuses 'a run of another command' 'the run to resume was begun by `finetune --method sft`' train --resume --out whole --steps 30
refuses 'another data for a run' 'has changed since this run began' finetune --resume --out whole --data data.jsonl --steps 30
refuses 'a model for a resumed run' 'a model to begin with is for a new run' finetune whole --resume --out whole --steps 30
refuses 'stories without questions' 'there are no questions in stories' finetune --data stories --recipe small.yaml --steps 1 --out new
refuses 'requests for pretraining' 'requests are for `finetune`' train --data requests --steps 1 --out new
printf '[{"instruction": "Say 1.", "output": ""}]' >empty.json
refuses 'an empty answer' 'example 1: has an empty answer' finetune --data empty.json --steps 1 --out new
refuses 'other keys' 'has neither "messages" nor "instruction" and "output"' finetune --data keys.json --steps 1 --out new
{ printf '{"instruction": "Say much.", "output": "'; yes 'word ' | head -n 2000 | tr -d '\n'; printf '"}\n'; cat data.jsonl; } >long.jsonl
refuses 'an answer that is longer than the context' 'example 1 has' finetune --data long.jsonl --steps 1 --out new
check 'and nothing is left behind' test ! -e new

finish
