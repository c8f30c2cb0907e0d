#include "app/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/base/check.hpp"

namespace cria {
namespace {

[[noreturn]] void fail() { throw UserError(fmt::format("cannot write the output: {}", std::strerror(errno))); }

}  // namespace

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})  // open() takes the lowest number that is free
    if (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) fail();
}

void print_bytes(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) fail();
}

void flush_output() {
  if (std::fflush(stdout) != 0) fail();
}

void print_heading(std::string_view text) {
  print_bytes(fmt::format("\n── {}\n\n", text));
  flush_output();
}

void discard_output() {
  if (!std::freopen("/dev/null", "w", stdout)) fail();
}

}  // namespace cria
