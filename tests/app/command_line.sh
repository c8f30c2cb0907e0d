#!/usr/bin/env bash
# The built program as its user meets it: runs that are killed and resumed, and every wrong use with its one line.
#
#   command_line.sh PROGRAM
#
# It leaves out what the tests of the chapters check through their functions. Runs without privileges; where it may mount
# a file system of its own, a disk is really full.
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

train() { "$program" train --data text.txt --tokenizer bytes --recipe tiny.yaml "$@"; }
no_leftovers() { ! grep -q '\.tmp$' <<<"$(ls "$1")"; }
steps_in() { wc -l 2>/dev/null <"$1/log.jsonl" || echo 0; }
# A log without what the clock decides.
timeless() { sed -E 's/"(seconds|tokens_per_second)": [0-9.]+/"\1"/g' "$1/log.jsonl"; }

npy() {  # npy FILE ID…: token ids as NumPy's format has them
  local file=$1 header id
  shift
  header="{'descr': '<i4', 'fortran_order': False, 'shape': ($#,), }"
  {
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header"
    for id in "$@"; do
      printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((id & 255)) $((id >> 8 & 255)) $((id >> 16 & 255)) $((id >> 24 & 255)))"
    done
  } >"$file"
}

seq 1 3000 >text.txt
cat >tiny.yaml <<'END'
model: {dim: 32, hidden_dim: 48, layers: 2, heads: 4, kv_heads: 2, head_dim: 8}
data: {batch: 8, context: 64, evaluations: 20, validation_tokens: 2000}
END
steps=500

# ── Reproducible ────────────────────────────────────────────────────────────────────────────────────────────────────

check 'a run to its end' train --steps $steps --out whole --threads 2

kill_at() {  # kill_at STEP OPTION…: a real SIGKILL once the log of `killed` has that many steps, before it has all
  local step=$1 pid
  shift
  "$program" train --data text.txt --tokenizer bytes --recipe tiny.yaml --steps $steps --out killed "$@" >out 2>err &
  pid=$!
  while kill -0 $pid 2>/dev/null && [ "$(steps_in killed)" -lt "$step" ]; do sleep 0.01; done
  kill -KILL $pid 2>/dev/null
  wait $pid 2>/dev/null
  [ "$(steps_in killed)" -ge "$step" ] && [ "$(steps_in killed)" -lt $steps ]
}

check 'a run killed early' kill_at 60 --threads 1
check 'its log ends in a half-written line' bash -c 'printf "{\"step\": 7" >>killed/log.jsonl'
check 'the same run resumed, and killed again' kill_at 200 --threads 4 --resume
check 'resumed to the end that it was given at first' train --out killed --threads 2 --resume
check 'gives the same weights' cmp whole/model.safetensors killed/model.safetensors
timeless whole >expected.log
timeless killed >actual.log
check 'and the same log, each step once' cmp expected.log actual.log
check 'and leaves no half-written file' no_leftovers whole
train --out killed --resume >finished.out
check 'a finished run resumed says so' grep -q "reached its end after $steps steps" finished.out
train --out killed --resume --json >finished.out
check 'gives its last figures as JSON' cmp finished.out <(tail -n 1 killed/log.jsonl)
check 'changes nothing' train --steps $steps --out killed --resume
train --steps 3 --out killed --resume >finished.out
check 'nor do fewer steps than it has done, which it says' grep -q "reached its end after $steps steps" finished.out
check 'not its weights' cmp whole/model.safetensors killed/model.safetensors

for threads in 1 2 4; do
  check "40 steps with $threads threads" train --steps 40 --out threads-$threads --threads $threads
  check 'give the same weights' cmp threads-1/model.safetensors threads-$threads/model.safetensors
  check 'and the same checkpoint but for the time' \
    cmp <(tail -c 200000 threads-1/training.safetensors) <(tail -c 200000 threads-$threads/training.safetensors)
done
check 'another seed' train --steps 40 --out seed-2 --seed 2
check 'gives other weights' bash -c '! cmp -s threads-1/model.safetensors seed-2/model.safetensors'

sample() { "$program" sample whole -p 1 -n 40 --temperature 1 --seed "$1"; }
check 'the same seed tells the same' test "$(sample 3)" = "$(sample 3)"
check 'another seed something else' test "$(sample 3)" != "$(sample 4)"
check 'the prompt comes first' test "$("$program" sample whole -p '17 ' -n 1 | head -c 3)" = '17 '

# ── Interrupted ─────────────────────────────────────────────────────────────────────────────────────────────────────

interrupt() {  # interrupt FOLDER SIGNAL [COMMAND…]: the signal once the run in the folder has done some steps
  local folder=$1 signal=$2
  shift 2
  "$@" "$program" train --data text.txt --tokenizer bytes --recipe tiny.yaml --steps 100000 --out "$folder" >interrupted.out 2>err &
  local pid=$!
  while kill -0 $pid 2>/dev/null && [ "$(steps_in "$folder")" -lt 5 ]; do sleep 0.01; done
  kill "-$signal" $pid
  ended=$pid
}
for signal in HUP TERM; do
  interrupt "signal's $signal" $signal
  wait $ended
  check "SIG$signal ends a run in good order" test $? = 0
  check 'which says how to go on, as a shell reads it' \
    grep -q "^Interrupted at step [0-9]*, and saved. Go on with: .* train --resume --out 'signal'.''s $signal'$" interrupted.out
  check 'and is saved' test -e "signal's $signal/training.safetensors"
done
interrupt ignored HUP nohup
sleep 0.3
check 'a run under nohup ignores SIGHUP' kill -0 $ended
kill -TERM $ended && wait $ended
rm -rf ignored

"$program" train --data text.txt --tokenizer bytes --recipe tiny.yaml --steps 100000 --out twice >out 2>err &
first=$!
while kill -0 $first 2>/dev/null && [ ! -e twice/run.lock ]; do sleep 0.01; done
refuses 'a second run in the same folder' 'another process is training in twice; wait for its end, or choose another --out' \
  train --data text.txt --tokenizer bytes --recipe tiny.yaml --steps 2 --out twice
while [ ! -e twice/config.json ]; do sleep 0.01; done
kill -KILL $first
wait $first 2>/dev/null
check 'a run killed before its first checkpoint begins again' train --steps 2 --out twice

bash -c '"$@" | head -n 1' _ "$program" train --data text.txt --tokenizer bytes --recipe tiny.yaml --steps 40 --out piped >out 2>err
check 'a reader that goes does not end a run' test "$(steps_in piped)" = 40

# On a terminal the title is as long as a line and more; what the terminal broke would not be drawn over.
if script -qec true typescript >out 2>&1; then  # a terminal, by util-linux
  script -qec "stty cols 80; '$program' train --steps 3 --threads 1 --out narrow" typescript >out 2>err
  sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' typescript | tr -d '\r' >screen
  check 'the display shows the run' grep -q 'layers of width' screen
  check 'in a narrow terminal, too' bash -c '! grep "^stories: .\{72,\}" screen'
  script -qec "stty cols 60 rows 12; NO_COLOR=1 '$program' train --steps 3 --threads 1 --out short" typescript >out 2>err
  check 'in a short one it draws over itself' bash -c '[ "$(grep -c "\[1[2-9]A" typescript)" = 0 ]'
  check 'without colours, if there are to be none' bash -c '! grep -q "\[[0-9;]*m" typescript'
  script -qec "stty cols 100 rows 30; '$program' train --data stories --tokenizer bytes --recipe tiny.yaml --minutes 0.05 --threads 1 --out wide" typescript >out 2>err
  sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' typescript | tr -d '\r' >screen
  check 'its curve has the highest value at the top' grep -qE '^ +[0-9]+\.[0-9]{2} ┤' screen
  check 'stands on the floor, named, as wide as the terminal' grep -qE '^ +0\.3[0-9] └(┄){85} floor$' screen
  check 'with steps and unit below' grep -qE '^ +step 1 +bits per byte +[0-9]+$' screen
  check 'elapsed and remaining time are the 3 seconds that were asked for' bash -c '
    grep -oE "[0-9]+:[0-9]{2} (elapsed|remaining)" screen | awk -F "[: ]" "
      \$3 == \"elapsed\" {elapsed = 60 * \$1 + \$2}
      \$3 == \"remaining\" && \$2 > 0 {sum = elapsed + 60 * \$1 + \$2; if (sum < 2 || sum > 4) wrong = 1; ++seen}
      END {exit wrong || !seen}"'
  script -qec "TERM=dumb '$program' train --steps 3 --threads 1 --out dumb" typescript >out 2>err
  check 'and line by line where a terminal can do no more' bash -c '! grep -q $"\x1b" typescript && grep -q "step  *3" typescript'
else
  skip 'a run on a terminal needs script, of util-linux'
fi

# What it takes to sample from a large model: its prompt is read in chunks of 24 MiB of activations at most.
mkdir large
cat >large/config.json <<'END'
{"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
 "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "max_position_embeddings": 4096}
END
"$program" info large --json >large.json
check 'what a large model would cost is what it takes' awk '
  /decoding_memory/ {at = 1}
  at && /activations/ {found = $2 > 20e6 && $2 < 30e6}
  END {exit !found}' FS='[:,]' large.json

# The build on an older CPU: a line, if it asks for more than that has, and never an illegal instruction.
if command -v qemu-x86_64 >/dev/null && [ "$(uname -m)" = x86_64 ]; then
  for cpu in qemu64 Nehalem max; do
    qemu-x86_64 -cpu $cpu "$program" info >out 2>err
    code=$?
    check "a CPU such as $cpu" test $code = 0 -o "$code $(grep -c '^cria: built for another CPU, as this one lacks' err)" = '2 1'
  done
else
  skip 'the program on an older CPU needs qemu-x86_64 (qemu-user)'
fi

# ── Wrong use ───────────────────────────────────────────────────────────────────────────────────────────────────────

refuses 'no command' 'subcommand is required'
refuses 'an unknown command' 'there is no command juggle' juggle
refuses 'an unknown option' '--sped' train --sped 3
refuses 'an option without its value' '--steps' train --steps
refuses 'an option that is no number' '--steps' train --steps many
refuses 'no steps' '--steps is 0, expected more' train --data text.txt --out new --steps 0
refuses 'no minutes' '--minutes is 0, expected more than 0' train --data text.txt --out new --minutes 0
refuses 'minutes without end' '--minutes is inf' train --data text.txt --out new --minutes inf
mkdir -p runs/demo
refuses 'a demo of no time' '--minutes is nan' demo --minutes nan
check 'tells no story' test ! -s out
check 'and leaves the last demo as it is' test -d runs/demo
touch runs/demo/model.safetensors
check 'a demo takes a folder that is free' "$program" demo --minutes 0.01
check 'and leaves what is in the last one' test -e runs/demo/model.safetensors -a -s runs/demo-2/model.safetensors
"$program" demo --minutes 5 >demo.txt 2>&1 &
for _ in $(seq 600); do [ -s runs/demo-3/log.jsonl ] && break; sleep 0.1; done
kill -TERM $!
wait $!
check 'a demo that is stopped goes on to judge nothing' \
  sh -c 'grep -q "Interrupted at step" demo.txt && ! grep -q "What it tells" demo.txt'
refuses 'steps and minutes' 'expected one of them' train --data text.txt --out new --steps 1 --minutes 1
refuses 'steps below 0' '--steps: -5 is not a whole number' train --data text.txt --out new --steps -5
refuses 'a seed below 0' '--seed: -1 is not a whole number' sample --seed -1
refuses 'a number that is too large' '--tokens: 18446744073709551616 is too large' sample -n 18446744073709551616
check 'a number with zeros before it is decimal' test "$("$program" stories --count 010 | wc -l)" = 10
check 'a token id, too' test "$("$program" tokenize decode whole 065 066)" = AB
refuses 'a token id that is no number' 'ids: 0x41 is not a whole number' tokenize decode whole 0x41
refuses 'a negative top-k' 'top-k: -1 is not a whole number' sample whole -p 1 --top-k -1
refuses 'a top-k that is too large' '--top-k: 2147483648 is too large' sample whole -p 1 --top-k 2147483648
refuses 'too many threads' '--threads is 100000, expected at most 1024' train --data text.txt --out new --steps 1 --threads 100000

new=(train --tokenizer bytes --steps 2 --out new)
: >empty.txt
mkdir nowhere
printf 'short' >short.txt
refuses 'a missing file' 'none.txt: No such file or directory' "${new[@]}" --data none.txt
refuses 'a missing file to learn BPE from' 'none.txt: No such file or directory' train --data none.txt --steps 1
refuses 'an empty file' 'empty.txt is empty' "${new[@]}" --data empty.txt
refuses 'an empty file to learn BPE from' 'empty.txt' train --data empty.txt --out new --steps 1
refuses 'a text shorter than a context' '5 tokens to train on are fewer than one context of 64' "${new[@]}" --recipe tiny.yaml --data short.txt
odd=$'odd\xff.txt'
cp text.txt "$odd"
refuses 'a name that no checkpoint can hold' 'is not UTF-8' "${new[@]}" --data "$odd"
refuses 'a folder for a file' 'the folder nowhere holds no file' "${new[@]}" --data nowhere
refuses 'a folder that cannot be made' 'text.txt' train --data text.txt --recipe tiny.yaml --tokenizer bytes --steps 1 --out text.txt/run
refuses 'a run over another' 'holds a training run already' train --data text.txt --out whole --steps 1
cp -r whole model && rm model/training.safetensors
refuses 'a run over a model' 'model holds a model already; another --out begins a new one' train --data text.txt --out model --steps 1
check 'leaves it as it is' cmp whole/model.safetensors model/model.safetensors
mkdir -p runs && cp -r model runs/text
check 'a run that is given no folder' train --steps 1
check 'takes one that holds no model' test -e runs/text-2/model.safetensors
refuses 'resuming nothing' 'holds no checkpoint to resume from' train --out new --steps 1 --resume
mkdir -p part/one && head -c 5000 text.txt >part/one/a.txt && tail -c 5000 text.txt >part/b.txt
check 'a run on a folder' "$program" train --data part --tokenizer bytes --recipe tiny.yaml --steps 2 --out folder
check 'resumed on its files under other names' \
  "$program" train --data "$PWD/./part/b.txt" part/../part/one/a.txt --steps 3 --out folder --resume
mv part moved
refuses 'resuming where the data is gone' 'on which this run was trained, is not here; --data says where it is now' \
  train --steps 4 --out folder --resume
check 'and where it says where the data is' "$program" train --data moved --steps 4 --out folder --resume
refuses 'resuming with other data' 'text.txt has changed since this run began' \
  train --data text.txt --steps 5 --out folder --resume
check 'a run on a pipe' sh -c 'cat text.txt | "$0" train --data - --recipe tiny.yaml --steps 2 --out pipe' "$program"

check 'a run from a model' "$program" train --from whole --data moved --recipe tiny.yaml --steps 1 --out further
check 'has its tokenizer' cmp whole/tokenizer.json further/tokenizer.json
check 'goes on' "$program" train --steps 2 --out further --resume
refuses 'a run from a model, with another tokenizer' '--tokenizer is "bytes", but a model has its tokenizer' \
  train --from whole --data text.txt --steps 1 --out new --tokenizer bytes
refuses 'a run from a model, with a longer context' 'data.context is 256, but whole reads at most 64 tokens' \
  train --from whole --data text.txt --steps 1 --out new
printf 'model: {dim: 64}\ndata: {context: 64}\n' >wider.yaml
refuses 'a run from a model, with another shape' 'wider.yaml: its section model is not that of whole; leave it out' \
  train --from whole --data text.txt --steps 1 --out new --recipe wider.yaml
printf ',' >comma.yaml
refuses 'a recipe without end' 'comma.yaml' train --data text.txt --steps 1 --out new --recipe comma.yaml
printf 'model: {dim: 0100}\n' >octal.yaml
refuses 'a number in octal' 'model.dim is 0100' train --data text.txt --steps 1 --out new --recipe octal.yaml
refuses 'resuming with another seed' '--seed is 9, but the run to resume began with 1' train --out killed --steps 600 --resume --seed 9
learn=(tokenize train --data text.txt --vocabulary 400)
check 'a SentencePiece tokenizer is learned' "$program" "${learn[@]}" --kind sentencepiece --out pieces
check 'a model is trained with it' "$program" train --data text.txt --tokenizer pieces --recipe tiny.yaml --steps 2 --out pieced
ids=$("$program" tokenize encode pieces/tokenizer.model 'a  text')
check 'and has it' test "$("$program" tokenize encode pieced 'a  text')" = "$ids"
check 'and samples with it' "$program" sample pieced -p 'a' -n 2
refuses 'a tokenizer of an unknown kind' '--kind is unigram, expected bpe or sentencepiece' "${learn[@]}" --kind unigram
refuses 'a pattern for SentencePiece' '--pattern is for --kind bpe' "${learn[@]}" --kind sentencepiece --pattern gpt2
refuses 'a coverage for bytes' '--coverage is for --kind sentencepiece' "${learn[@]}" --coverage 0.9
refuses 'a coverage above one' '--coverage is 1.5, expected a share' "${learn[@]}" --kind sentencepiece --coverage 1.5
refuses 'too few pieces' 'a vocabulary of 20 is too small' tokenize train --data text.txt --kind sentencepiece --vocabulary 20
refuses 'an unknown tokenizer' 'wordpiece' train --data text.txt --out new --steps 1 --tokenizer wordpiece

printf 'model:\n  dims: 32\n' >wrong.yaml
refuses 'an unknown recipe key' 'wrong.yaml:2: unknown key model.dims; the nearest known one is model.dim' "${new[@]}" --data text.txt --recipe wrong.yaml
printf 'model: {heads: 4, kv_heads: 3}\n' >wrong.yaml
refuses 'heads that kv heads do not divide, in a recipe' 'the second must divide the first' train --data text.txt --out new --steps 1 --recipe wrong.yaml
refuses 'a recipe that is missing' 'none.yaml: No such file or directory' train --data text.txt --out new --steps 1 --recipe none.yaml
check 'nothing was made on the way' test ! -e new

printf 'optimiser: {learning_rate: 1.0e+30}\ndata: {context: 64, evaluations: 1}\n' >explodes.yaml
refuses 'a loss that is no longer finite' 'no checkpoint was written yet; try a lower optimiser.learning_rate' \
  train --data text.txt --tokenizer bytes --recipe explodes.yaml --steps 100 --out exploded

refuses 'stories as JSON' '--json is for the figures of --statistics or --out' stories --json
refuses 'statistics into a file' '--statistics prints figures, and writes no stories to --out' stories --statistics --out new
refuses 'held-out stories' '--held-out is for --requests' stories --held-out
"$program" stories --requests --count 20 --seed 3 --out requests.json >/dev/null
check 'requests are obeyed by the stories that they were drawn from' \
  bash -c '"$0" judge --requests requests.json | grep -q "^requests     20 of 20, 100.0 %"' "$program"
"$program" judge --requests requests.json --json >judged.json
check 'the judge of requests says it of each' grep -q '"answers":\[{"parses":true,"slots":{"' judged.json
printf '[{"instruction": "A story.", "output": "Once."}]' >no-slots.json
refuses 'a request for nothing' 'request 1 has no "slots", expected an object' judge --requests no-slots.json
printf '[{"instruction": "A story.", "output": "Once.", "slots": {"moon": "full"}}]' >moon.json
refuses 'a request for what no story has' 'request 1 asks for "moon", which the grammar has no slot for' judge --requests moon.json
printf '{}' >no-requests.json
refuses 'a file without requests' 'expected a list of requests' judge --requests no-requests.json

refuses 'a temperature that is no number' 'temperature is nan' sample whole -p 1 --temperature nan
check 'before the prompt is shown' test ! -s out
refuses 'an empty stop string' 'a stop string is empty' sample whole -p 1 --stop ''
check 'before the prompt is shown, too' test ! -s out

printf 'One line.\nAnother.\n<|end|>\nA story.\n' >told.txt
check 'stories of several lines' bash -c '"$0" judge told.txt --separator "<|end|>" | grep -q "stories    0 of 2"' "$program"
printf 'A \033[31mred\033[0m story.\n' >coloured.txt
check 'what a story does to terminals is not done to this one' bash -c '! "$0" judge coloured.txt | grep -q $(printf "\\033")' "$program"
refuses 'nothing between stories' '--separator is empty' judge told.txt --separator ''

damaged() { rm -rf damaged && cp -r whole damaged; }
damaged
head -c 50000 whole/model.safetensors >damaged/model.safetensors
refuses 'weights that were cut off' 'is it cut off?' sample damaged -p 1
refuses 'weights that were cut off, to eval' 'is it cut off?' eval damaged --data text.txt
damaged
sed -i.old 's/"intermediate_size": 48/"intermediate_size": 50/' damaged/config.json
refuses 'config and weights that disagree' 'has shape (48, 32), but config.json asks for (50, 32)' sample damaged -p 1
damaged
sed -i.old 's/"num_attention_heads": 4/"num_attention_heads": 0/' damaged/config.json
refuses 'zero heads' 'num_attention_heads is 0, expected at least 1' sample damaged -p 1
damaged
sed -i.old 's/"num_key_value_heads": 2/"num_key_value_heads": 3/' damaged/config.json
check 'info names the compiler' sh -c '"$0" info | grep -q "^built  *by [A-Za-z]"' "$program"
refuses 'heads that kv heads do not divide' 'num_attention_heads is 4 and num_key_value_heads is 3' info damaged
damaged
printf '{' >damaged/config.json
check 'encode reads standard input' test "$(printf 'a b' | "$program" tokenize encode whole --file -)" = "$("$program" tokenize encode whole 'a b')"
refuses 'a config that is no JSON' 'config.json is not valid JSON at byte 2' sample damaged -p 1
damaged
head -c 1000 whole/training.safetensors >damaged/training.safetensors
refuses 'a checkpoint that was cut off' 'training.safetensors' train --out damaged --steps 600 --resume
refuses 'a model that is missing' 'none holds no model' sample none -p 1

damaged
{ head -c -4 whole/model.safetensors && printf '\0\0\xc0\x7f'; } >damaged/model.safetensors
refuses 'weights that are no numbers' 'the logits are NaN or infinite' sample damaged -p 1
refuses 'weights that are no numbers, to eval' 'damaged: the loss is NaN or infinite' eval damaged --data text.txt

npy tokens.npy 1 2 257
npy beyond.npy 1 258 2
npy negative.npy 1 -1
check 'token ids in range' "$program" trace whole --tokens tokens.npy --out traced
refuses 'a token id out of range' 'beyond.npy: token id 258 is out of range, expected 0 to 257' trace whole --tokens beyond.npy --out traced
refuses 'a negative token id' 'token id -1 is out of range' trace whole --tokens negative.npy --out traced
mkdir nothing
refuses 'a comparison with nothing' 'nothing holds nothing to compare with' trace whole --tokens tokens.npy --out traced --against nothing
check 'a comparison with itself' "$program" trace whole --tokens tokens.npy --out traced --against traced
refuses 'a tolerance that is no number' '--tolerance is nan, expected 0 or more' trace whole --tokens tokens.npy --out traced --tolerance nan
refuses 'token ids that are missing' 'none.npy: No such file or directory' trace whole --tokens none.npy --out traced

# ── A full disk ─────────────────────────────────────────────────────────────────────────────────────────────────────

if [ -w /dev/full ]; then
  check 'a log on a full disk does not end a run' train --steps 2 --out logged --log /dev/full
  check 'which says so' test "$(cat err)" = 'cria: cannot write the log /dev/full: No space left on device; the run goes on'
  check 'and writes its model' test -e logged/model.safetensors
  train --steps 2 --out unseen >/dev/full 2>full.err
  check 'nor does a display that finds no room' test $? = 0
  check 'which is said, too' \
    test "$(cat full.err)" = 'cria: cannot write the output: No space left on device; the run goes on'

  for command in info 'stories --count 1000000000' 'sample whole -p 1 -n 3' 'tokenize decode whole 49'; do
    timeout 60 "$program" $command >/dev/full 2>full.err
    check "a full disk for the output of $command" test $? = 2
    check 'is said in one line' test "$(cat full.err)" = 'cria: cannot write the output: No space left on device'
  done
fi
check 'a run whose output is closed' bash -c '"$@" >&- 2>&- <&-' _ \
  "$program" train --data text.txt --tokenizer bytes --recipe tiny.yaml --steps 2 --out silent
check 'prints nothing into its files' test "$(grep -c '^{.*}$' silent/log.jsonl) $(wc -l <silent/log.jsonl)" = '2 2'

check 'stories into a pipe' test "$("$program" stories --count 3 --out /dev/stdout | head -n 3 | wc -l)" = 3
"$program" stories --count 3 --out /dev/stdout >stories.txt
check 'stories into standard output that is a file' test "$(head -n 3 stories.txt | wc -w)" -gt 100
check 'leave the name of standard output as it is' test -L /dev/stdout

checkpoint_bytes=$(wc -c <whole/training.safetensors)

# A limit on the size of files (in KiB) lets the model through, but not the checkpoint, which is three times as large.
cp killed/training.safetensors before
limited() { (ulimit -f $((checkpoint_bytes * 2 / 3 / 1024)) && exec "$program" "$@"); }
limited train --out killed --steps 600 --resume >full.out 2>full.err
check 'a checkpoint that cannot be written ends the run' test $? = 2
check 'with one line' test "$(wc -l <full.err)" -eq 1
check 'that says why' grep -q 'cannot write killed/training.safetensors: File too large' full.err
check 'and leaves the old one' cmp before killed/training.safetensors
check 'and nothing half-written' no_leftovers killed

# Where a file system may be mounted: one with room for the first checkpoint, but not for the second beside it.
mkdir disk
if unshare -rm mount -t tmpfs tmpfs disk 2>/dev/null; then
  unshare -rm bash -c 'mount -t tmpfs -o size=$1 tmpfs disk && "${@:2}"; code=$?; cp -r disk/run rescued; exit $code' _ \
    $((2 * checkpoint_bytes)) "$program" train --data text.txt --tokenizer bytes --recipe tiny.yaml --steps $steps --out disk/run >full.out 2>full.err
  check 'a full disk ends the run' test $? = 2
  check 'and says so' grep -q 'cannot write disk/run/[a-z.]*: No space left on device' full.err
  check 'in one line' test "$(wc -l <full.err)" -eq 1
  check 'the checkpoint that stays is good' train --steps $steps --out rescued --resume
  check 'and leads to the same weights' cmp whole/model.safetensors rescued/model.safetensors
else
  skip 'a disk that is really full needs the right to mount one'
fi

finish
