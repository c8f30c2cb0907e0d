#!/usr/bin/env bash
# cria look as its user meets it: the page is whole, small enough, the same each time, and holds any text as data; wrong
# use gets one line. What a browser makes of it is look.py's.
#
#   look.sh PROGRAM
data=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../data" && pwd -P)
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

check 'a page' "$program" look -p 'Once a rabbit' --out page
for file in $(grep -oE '(src|href)="[a-z_]+\.(js|css)"' page/index.html | cut -d'"' -f2); do
  check "has $file" test -s "page/$file"
done
check 'with no file that it does not name' test "$(ls page | wc -l)" = \
  "$(($(grep -cE '(src|href)="[a-z_]+\.(js|css)"' page/index.html) + 1))"
check 'the same page again' "$program" look -p 'Once a rabbit' --out again
check 'has the same bytes' diff -r page again

text=$'</script><script>alert(1)</script><!-- \xff " \\ \xe2\x80\xa8 end'
check 'a text of any bytes' "$program" look -p "$text" --out hostile
check 'leaves no markup in the data' sh -c '! grep -q "<" hostile/data.js'
check 'and nothing but ASCII' sh -c '! LC_ALL=C grep -q "[^ -~]" hostile/data.js'

check 'without a text a story begins' "$program" look --out story
check 'of which the grammar knows what comes next' grep -q '"story":\[{"divergence":' story/data.js
check 'as it does not of another text' grep -q '"story":null' hostile/data.js

for step in 1 2 3; do
  echo "{\"step\": $step, \"bits_per_byte\": $((5 - step)).5, \"val_loss\": $([ $step = 3 ] && echo 2.5 || echo null), \"floor\": 0.3, \"grad_norm\": $step}"
done >log.jsonl
check 'a log of a run' "$program" look --run log.jsonl --out run
check 'is in the page' grep -q '"floor":0.3' run/data.js

cp -r "$data/model" stranger
sed -i '/"added_tokens"/,/^ \],/c\ "added_tokens": [],' stranger/tokenizer.json
check 'a token that the tokenizer does not have' "$program" look stranger/ -p 'Once' --run "$work/" --out strange
check 'is a word by itself' grep -q '"special":\[\],"tokens":\[1573,[0-9,]*\],"vocabulary":1573,"words":\[{"from":0,"steps":\[\],"to":1}' strange/data.js
check 'and a name is the last of its path' grep -q '"model":"stranger"' strange/data.js
check 'also of a run' grep -q "\"name\":\"$(basename "$work")\"" strange/data.js

long=$(printf 'a rabbit %.0s' $(seq 100))
refuses 'too long a text' 'the text has 202 tokens, expected at most 128: the page holds ' look -p "$long" --out long
check 'and writes nothing of it' test ! -e long
refuses 'a model that is missing' 'none holds no model' look none --out none
refuses 'a second tokenizer that is none' 'log.jsonl' look --second-tokenizer log.jsonl --out none
refuses 'a log that is none' 'page/look.css:1: this is not valid JSON' look --run page/look.css --out none
refuses 'no folder' '--out is required' look

finish
