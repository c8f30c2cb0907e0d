#!/usr/bin/env bash
# The script ./cria on a machine that is not the one that it built on, and on fewer CPUs than there are. Works in a copy
# of it with a project of its own, whose program is one line of C++.
#
#   script.sh PROGRAM
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
source "$repository/tests/app/checks.sh"

cp "$repository/cria" .
mkdir -p app lib chapters tests cmake bin build/release
echo 'int main() { return 7; }' >app/main.cpp
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(tiny LANGUAGES CXX)
set(CRIA_NATIVE ON CACHE BOOL "")
add_executable(cria_app app/main.cpp)
set_target_properties(cria_app PROPERTIES OUTPUT_NAME cria RUNTIME_OUTPUT_DIRECTORY app)
END
echo '{"version": 6, "configurePresets": [{"name": "release", "generator": "Ninja", "binaryDir": "build/release"}]}' >CMakePresets.json
cmake --preset release >out 2>err  # so that the script installs nothing
result 'the project is configured' $? "$(cat out err)"

cria() {  # cria COMMAND…: what the script says, in `said`; the program itself was run
  "$@" ./cria run >out 2>said
  [ $? = 7 ]
}
check 'it builds and runs' cria env
if [ -s build/release/cpu ]; then
  check 'once' bash -c './cria run 2>said; ! grep -q . said'
  cp build/release/cpu here
  echo 'sse2 avx9 ' >build/release/cpu
  cria env
  result 'a build for another CPU is made anew' $? "$(cat said)"
  check 'which it says' grep -qx 'cria: build/release was built for a CPU with avx9, which this one lacks: building it anew' said
  check 'and compiles' grep -q 'Building CXX' build/release/build.log
  check 'for this CPU' cmp here build/release/cpu
  check 'once, too' bash -c './cria run 2>said; ! grep -q . said'
  sed -i 's/^CRIA_NATIVE:BOOL=ON/CRIA_NATIVE:BOOL=OFF/' build/release/CMakeCache.txt
  rm build/release/cpu && echo >>app/main.cpp
  check 'a portable build' cria env
  check 'is for any CPU' test ! -e build/release/cpu
else
  skip 'what a CPU can do is known where Linux says it'
fi

# A cmake that only tells with how many jobs it was to build.
printf '#!/bin/sh\nwhile [ $# -gt 1 ]; do [ "$1" != --parallel ] || echo "$2" >jobs; shift; done\n' >bin/cmake
chmod +x bin/cmake
jobs() { rm -f jobs && echo >>app/main.cpp && cria "$@" env PATH="$PWD/bin:$PATH" && cat jobs; }
check 'it builds on every CPU' test "$(jobs env)" = "$(nproc)"
if first=$(taskset -pc $$ 2>/dev/null) && first=${first##* } && first=${first%%[,-]*} && taskset -c "$first" true; then
  check 'that it is bound to' test "$(jobs taskset -c "$first")" = 1
else
  skip 'binding a process to a CPU needs taskset'
fi
for group in /sys/fs/cgroup/cpu/cria-test-$$ /sys/fs/cgroup/cria-test-$$; do
  mkdir "$group" 2>/dev/null || continue
  if { echo 30000 >"$group/cpu.cfs_quota_us" || echo '30000 100000' >"$group/cpu.max"; } 2>/dev/null; then
    limited() { bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"; }
    check 'and that its control group grants' test "$(jobs limited)" = 1
    check 'as does the program' test "$(limited "$program" info | sed -n 's/^cpu.*, //p')" = '1 thread'
    limited_was_tried=1
  fi
  rmdir "$group"
  [ -z "${limited_was_tried-}" ] || break
done
[ -n "${limited_was_tried-}" ] || skip 'a quota of CPU time needs the right to make a control group'

finish
