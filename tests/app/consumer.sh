#!/usr/bin/env bash
# cria as a part of another project: what it asks of its parent, which is nothing but C++20 and where its headers are.
# Only configures; .ci/run builds one.
#
#   consumer.sh PROGRAM
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
source "$repository/tests/app/checks.sh"

configure() {  # configure FOLDER OPTION…
  cmake -S "$repository/tests/consumer" -B "$1" -G Ninja -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    -DCRIA_SOURCE="$repository" "${@:2}"
}
command_of() { grep '"command"' "$1/compile_commands.json" | grep -F -- "-c $2"; }  # command_of FOLDER FILE
flags_of() { command_of "$1" "$2" | grep -oE ' -(m|W|f|O|g|std)[^ ]*'; }
own=$repository/tests/consumer/main.cpp ours=$repository/chapters/03-rmsnorm/rmsnorm.cpp

for way in subdirectory fetched; do
  check "a project with cria, $way" configure $way -DCRIA_FETCH=$([ $way = fetched ] && echo ON || echo OFF)
  check 'has no flag of its own but the standard' test "$(flags_of $way "$own" | tr -d '\n')" = ' -std=gnu++20'
  check 'where cria has warnings' bash -c 'grep -q -- " -Wshadow" <<<"$0"' "$(flags_of $way "$ours")"
  check 'and runs on any CPU' bash -c '! grep -q -- " -march=native" <<<"$0"' "$(flags_of $way "$ours")"
  check 'no build type is chosen for it' grep -qx 'CMAKE_BUILD_TYPE:[A-Z]*=' $way/CMakeCache.txt
  ninja -C $way -t targets all | grep 'CXX_EXECUTABLE' | grep -v '^consumer:' >programs
  check 'there are no programs and no tests' test ! -s programs
  grep -h '^ *file(INSTALL' $way/cmake_install.cmake $way/cria/cmake_install.cmake $way/_deps/cria-build/cmake_install.cmake \
    2>/dev/null | grep -v /consumer\" >rules
  check 'and nothing of cria is installed' test ! -s rules
done
check 'for this CPU, where that is asked for' configure native -DCRIA_NATIVE=ON
check "cria's files are" bash -c 'grep -q -- " -march=native" <<<"$0"' "$(flags_of native "$ours")"
check 'and those of the parent are not' test "$(flags_of native "$own" | tr -d '\n')" = ' -std=gnu++20'

finish
