#include "tests/apart.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "lib/base/check.hpp"

namespace cria::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_ours = false;  // a sanitizer's shadow is counted, too
#else
constexpr bool memory_is_ours = true;
#endif

double peak_megabytes(const rusage& usage) {
#ifdef __APPLE__
  return double(usage.ru_maxrss) / (1 << 20);
#else
  return double(usage.ru_maxrss) / (1 << 10);
#endif
}

double seconds_of(const timeval& time) { return double(time.tv_sec) + 1e-6 * double(time.tv_usec); }

/// Runs the body in the child, tells what came of it, and ends without the parent's destructors.
[[noreturn]] void be_child(const std::function<void()>& body, int to) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) std::signal(signal, SIG_DFL);  // not Catch2's
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  int code = 0;
  std::string message;
  try {
    body();
  } catch (const UserError& error) {
    code = 2, message = error.what();
  } catch (const std::exception& error) {
    code = 3, message = error.what();
  }
  message = fmt::format("{} {}", peak_megabytes(before), message);
  for (std::string_view rest = message; !rest.empty();) {
    const ssize_t written = ::write(to, rest.data(), rest.size());
    if (written <= 0) break;
    rest.remove_prefix(size_t(written));
  }
  ::_exit(code);
}

}  // namespace

Apart run_apart(const std::function<void()>& body) {
  int ends[2];
  require(::pipe(ends) == 0, "run_apart", "cannot make a pipe");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  require(child >= 0, "run_apart", "cannot fork");
  if (child == 0) be_child(body, ends[1]);
  ::close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t count; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, size_t(count));
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  const size_t blank = std::min(said.find(' '), said.size());
  const double before = blank > 0 ? std::stod(said) : 0;
  return {.code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
          .message = said.substr(std::min(blank + 1, said.size())),
          .seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
          .megabytes = std::max(0.0, peak_megabytes(usage) - before)};
}

std::string fault_of(const Apart& reading, double most_megabytes) {
  constexpr double most_seconds = 2;
  if (reading.code < 0) return fmt::format("it died of signal {}", -reading.code);
  if (reading.code != 0 && reading.code != 2)
    return fmt::format("it ended with code {}: {}", reading.code, reading.message);
  if (reading.code == 2 && (reading.message.empty() || reading.message.find('\n') != std::string::npos))
    return fmt::format("its message is not one line: {}", reading.message);
  if (reading.seconds > most_seconds && memory_is_ours) return fmt::format("it took {:.1f} s", reading.seconds);
  if (reading.megabytes > most_megabytes && memory_is_ours) return fmt::format("it took {:.1f} MB", reading.megabytes);
  return "";
}

}  // namespace cria::testing
