// The handler of the signal may look at nothing but memory that is there, and neither lock nor allocate. So mappings
// are kept in a table of fixed size; of those that find no room, the signal is not explained.
#include "lib/base/shrunk_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <iterator>
#include <string>

#include "lib/base/check.hpp"

namespace cria {
namespace {

struct Mapping {
  std::atomic<bool> taken{false};
  std::atomic<std::uintptr_t> begin{0};  // 0 while the rest is written
  std::uintptr_t end = 0;
  int descriptor = -1;
  char name[240] = {};  // cut off where it is longer
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);  // or a signal handler may not touch it

Mapping mappings[1024];
struct sigaction before;

std::uintptr_t address(const void* at) { return reinterpret_cast<std::uintptr_t>(at); }

void say(const char* text, size_t size) {
  if (::write(STDERR_FILENO, text, size) < 0) return;  // there is nobody to tell
}

void explain(int, siginfo_t* info, void*) {
  const std::uintptr_t at = address(info->si_addr);
  for (const Mapping& mapping : mappings) {
    const std::uintptr_t begin = mapping.begin.load(std::memory_order_acquire);
    if (begin == 0 || at < begin || at >= mapping.end) continue;
    constexpr char end[] = " became shorter while it was read\n";
    say("cria: ", 6);
    say(mapping.name, static_cast<size_t>(std::find(mapping.name, std::end(mapping.name), '\0') - mapping.name));
    say(end, sizeof end - 1);
    ::_exit(2);
  }
  ::sigaction(SIGBUS, &before, nullptr);  // the instruction runs again, and meets what was there before
}

}  // namespace

void explain_shrunk_files() {
  struct sigaction action {};
  action.sa_sigaction = explain;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, &before);
}

void remember_mapping(std::span<const std::byte> bytes, int descriptor, std::string_view name) {
  for (Mapping& mapping : mappings) {
    if (mapping.taken.exchange(true)) continue;
    const size_t size = std::min(name.size(), sizeof mapping.name - 1);
    std::copy_n(name.data(), size, mapping.name);
    mapping.name[size] = '\0';
    mapping.end = address(bytes.data()) + bytes.size();
    mapping.descriptor = ::dup(descriptor);
    mapping.begin.store(address(bytes.data()), std::memory_order_release);
    return;
  }
}

void forget_mapping(const std::byte* begin) {
  for (Mapping& mapping : mappings) {
    if (mapping.begin.load() != address(begin)) continue;
    mapping.begin.store(0);
    ::close(mapping.descriptor);
    mapping.taken.store(false);
    return;
  }
}

void require_whole_mapping(const std::byte* begin) {
  for (const Mapping& mapping : mappings) {
    if (mapping.begin.load() != address(begin)) continue;
    struct stat status {};
    if (::fstat(mapping.descriptor, &status) == 0 && address(begin) + static_cast<size_t>(status.st_size) < mapping.end)
      throw UserError(std::string(mapping.name) + " became shorter while it was read");
    return;
  }
}

}  // namespace cria
