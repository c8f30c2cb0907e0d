# What the tests of the programs share; sourced with the program as the first argument. Makes a folder to work in, and
# counts.
set -uo pipefail
export TERM=xterm LC_ALL=C.UTF-8  # whatever started the tests, which may have no terminal
program=$(cd "$(dirname "$1")" && pwd -P)/$(basename "$1")
[ -x "$program" ] || { echo "there is no program $program"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0 skipped=0

result() {  # result NAME STATUS [WHY]
  if [ "$2" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n%s\n' "$1" "${3-}"
  fi
}

check() {  # check NAME COMMAND…: the command has to succeed
  local name=$1
  shift
  "$@" >out 2>err
  result "$name" $? "$(printf '%s\n' "$*" && tail -n 5 out err | tr -d '\0')"
}

refuses() {  # refuses NAME PART ARGUMENT…: exit code 2, nothing but one line on stderr, and PART is in it
  local name=$1 part=$2 why='' code
  shift 2
  "$program" "$@" >out 2>err
  code=$?
  [ $code = 2 ] || why="exit code $code, expected 2"
  [ "$(wc -l <err)" -eq 1 ] || why+=" $(wc -l <err) lines on stderr, expected 1"
  grep -qF -- "$part" err || why+=" expected: $part"
  ! grep -q 'should not happen' err || why+=' an error that nobody foresaw'
  [ -z "$why" ]
  result "$name" $? "cria $*"$'\n'"$why"$'\n'"$(cat err)"
}

as_predicted() {  # as_predicted FILE: the table of plan --measure has four ways to share, and no rank sent other bytes
  ! grep -q ' sent ' "$1" &&
    awk '$1 ~ /^(data|tensor|pipeline)$/ {ways++; if ($2 != $3) other = 1} END {exit other || ways != 4}' "$1"
}

skip() {  # skip WHY
  skipped=$((skipped + 1))
  echo "skipped: $1"
}

finish() {
  printf 'test cases: %d | %d passed | %d failed | %d skipped\n' $((passed + failed + skipped)) $passed $failed $skipped
  [ $failed = 0 ]
}
