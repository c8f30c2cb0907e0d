#!/usr/bin/env bash
# cria chat as its user and its scripts meet it, with the small model that comes with cria and a format by name.
#
#   chat.sh PROGRAM
small=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../data/model" && pwd -P)
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

chat() { "$program" chat --template chatml --temperature 0 -n 12 "$@"; }

# ── In a script ─────────────────────────────────────────────────────────────────────────────────────────────────────

one=$(chat -p 'Once upon a time')
check 'one question has one answer, on a line' test "$(wc -l <<<"$one")" = 1 -a -n "$one"
check 'the same from standard input' test "$(printf 'Once upon a time' | chat -p -)" = "$one"
check 'and as the first of two lines' \
  test "$(printf 'Once upon a time\nAnd then?\n' | chat | head -n 1)" = "$one" -a "$(printf 'a\n\n \nb' | chat | wc -l)" = 2
check 'a system message changes it' test "$(chat --system 'Tell of a cat.' -p 'Once upon a time')" != "$one"
check 'and so does one that is given later' \
  test "$(printf '/system Tell of a cat.\nOnce upon a time\n' | chat)" = "$(chat --system 'Tell of a cat.' -p 'Once upon a time')"
printf 'One\nTwo\n/save talk.json\n' | chat >said
check 'a conversation is saved as messages' test "$(sed -n 's/^  "role": "\(.*\)",$/\1/p' talk.json | tr '\n' ' ')" = 'user assistant user assistant '
check 'with what was asked' test "$(grep -cxE '  "content": "(One|Two)"' talk.json)" = 2
check 'and goes on where it is loaded' \
  test "$(printf '/load talk.json\nThree\n' | chat)" = "$(printf 'One\nTwo\nThree\n' | chat | tail -n 1)"
check 'or begins anew' test "$(printf 'One\n/reset\nOnce upon a time\n' | chat | tail -n 1)" = "$one"
check 'or ends' test "$(printf '/quit\nOne\n' | chat | wc -l)" = 0
check 'a message may begin with a slash' test "$(printf '//usr\n/save slash.json\n' | chat | wc -l)" = 1
check 'of which one is left' grep -q '"content": "/usr"' slash.json
printf 'One\nTwo\n' | chat --stats 2>stats >said
check 'the cache is kept from turn to turn' awk '
  {prompt = $2; new = $9; answer = $14}
  NR == 1 {first = prompt; if (new != prompt) exit 1}
  NR == 2 {exit !(new < prompt - first)}' stats
check 'two figures for two answers' test "$(wc -l <stats)" = 2
yes 'Tell me more of that.' | head -n 12 | chat --context 128 >said 2>noted
check 'a context that is full forgets, and goes on' \
  test "$(grep -c 'cria: the context of 128 tokens is full: the model has forgotten the oldest [0-9]* messages' noted)" -gt 1 -a "$(wc -l <said)" = 12

# ── Wrong use ───────────────────────────────────────────────────────────────────────────────────────────────────────

refuses 'a model without a template' 'brings no chat template; --template takes a file, or one of llama2, ' chat -p Hi
refuses 'a format that is not there' '--template "llama9" is neither a file nor one of llama2, ' chat --template llama9 -p Hi
echo '{% include "x" %}' >odd.jinja
refuses 'a template that asks for more' 'odd.jinja: line 1 of the template: ' chat --template odd.jinja -p Hi
refuses 'a longer context than the model has' '--context is 100000, but the model reads at most' chat --template chatml --context 100000 -p Hi
refuses 'a question without room' 'more than the context of 32 has room for' \
  chat --template chatml --context 32 -p "$(yes Once | head -n 100 | tr '\n' ' ')"
for line in '/fly' '/load none.json' '/load' '/save /dev/null/x'; do
  printf '%s\n' "$line" >line
  check "$line in a script" bash -c '"$0" chat --template chatml <line >out 2>err; [ $? = 2 ] && [ "$(wc -l <err)" = 1 ]' "$program"
done

# ── Filling a gap ───────────────────────────────────────────────────────────────────────────────────────────────────

seq 1 400 >numbers.txt
printf 'model: {dim: 16, hidden_dim: 24, layers: 1, heads: 2, kv_heads: 1, head_dim: 8}\ndata: {context: 64}\n' >tiny.yaml
"$program" tokenize train --data numbers.txt --vocabulary 270 --out marks --special '<|begin_of_text|>' '<|end_of_text|>' \
  '<PRE>' '<SUF>' '<MID>' '<EOT>' >out
check 'a model with marks' "$program" train --data numbers.txt --tokenizer marks --recipe tiny.yaml --steps 3 --out filler
fill() { "$program" fill filler --temperature 0 -n 9 "$@" 2>noted; }
middle=$(fill --prefix '1 2' --suffix '4 5')
check 'fills the gap between two texts' test -n "$middle"
check 'and says when it did not end' grep -q '^cria: what is written ends after 9 tokens, as --tokens says$' noted
printf '1 2<FILL>4 5' >gap.txt
check 'or in a file' test "$(fill gap.txt)" = "1 2${middle}4 5"
check 'or with another marker' test "$(sed 's/<FILL>/@/' gap.txt | fill - --marker @)" = "1 2${middle}4 5"
check 'or with the suffix shown first' test "$(fill gap.txt --suffix-first)" != "$(fill gap.txt)"
refuses 'a model that was not trained for it' 'the model has no token <PRE>' fill "$small" --prefix a --suffix b
refuses 'a file without a gap' 'numbers.txt has no <FILL>, expected it once' fill filler numbers.txt
echo '<FILL><FILL>' >gaps.txt
refuses 'a file with two' 'gaps.txt has more than one <FILL>' fill filler gaps.txt
refuses 'a file and texts' 'expected one of them' fill filler gap.txt --prefix a
refuses 'nothing to fill' 'expected --prefix and --suffix, or a file' fill filler
refuses 'more than the context' "more than the model's context of 64 has room for" fill filler --prefix "$(seq 1 99)"

# ── On a terminal ───────────────────────────────────────────────────────────────────────────────────────────────────

# A model whose answers have no end for a long time.
sed -i.bak 's/"max_position_embeddings": .*,/"max_position_embeddings": 16777216,/' filler/config.json
echo '{{ messages[-1].content }}' >last.jinja
shown() {  # shown COUNT TEXT: waits until the terminal has shown the text so often
  for _ in $(seq 900); do [ "$(grep -aoF -- "$2" typescript 2>/dev/null | wc -l)" -ge "$1" ] && return; sleep 0.1; done
}
answering() {  # waits until the terminal shows more than what was typed
  local before
  before=$(wc -c <typescript)
  for _ in $(seq 900); do [ "$(wc -c <typescript)" -gt $((before + 64)) ] && return; sleep 0.1; done
}
terminal() {  # terminal OPTION…: a conversation on a terminal, whose keys come from standard input
  # libedit never frees the names of functions that are added to it, which the address sanitizer would call a leak.
  # exec: a shell that waits for the program (dash does) would get the Ctrl-C too, and end by it.
  ASAN_OPTIONS=detect_leaks=0 script -qefc "exec '$program' chat $*" typescript >out 2>err
}
if script -qec true /dev/null >out 2>&1 && grep -q libedit <<<"$(ldd "$program")"; then  # a terminal, by util-linux
  rm -f typescript  # before either side of the pipe begins: the last one's prompts are not this one's
  { shown 1 '> '; printf 'Once\003'; shown 2 '> '; printf 'Onc\303\266\177e\n'; shown 3 '> '; printf '\003'; } |
    terminal --template chatml --temperature 0 -n 12
  check 'Ctrl-C in an empty line ends, and drops one that is not' test $? = 0
  check 'Onceö, corrected, is Once' grep -qF "$(chat -p Once)" typescript
  rm -f typescript
  { shown 1 '> '; printf '1 2\n'; shown 1 '1 2'; answering; printf '\003'; shown 2 '> '; printf '/save said.json\n'
    shown 3 '> '; printf '/fly\n'; shown 4 '> '; printf '\004'; } |
    terminal filler --template last.jinja --temperature 0 --context 1000000 -n 1000000
  check 'Ctrl-C stops an answer and keeps the conversation, which Ctrl-D ends' test $? = 0
  check 'with what was said' grep -q '"role": "assistant"' said.json
  check 'a command that is not there is said, and no more' grep -q 'there is no command "/fly"; /help shows all' typescript
  rm -f typescript
  { shown 1 '> '; printf '1 2\n'; shown 1 '1 2'; answering; printf '\003'; sleep 0.2; printf '\003'; shown 1 COMMAND_EXIT_CODE; } |
    terminal filler --template last.jinja --temperature 0 --context 1000000 -n 1000000
  check 'twice, it ends the program' grep -q COMMAND_EXIT_CODE typescript
else
  skip 'a conversation on a terminal needs libedit, and script of util-linux'
fi

finish
