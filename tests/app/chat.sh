#!/usr/bin/env bash
# cria chat as its user and its scripts meet it, with the small model that comes with cria and a format by name.
#
#   chat.sh PROGRAM
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

finish
