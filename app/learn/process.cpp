#include "app/learn/process.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/base/check.hpp"

namespace cria::learn {
namespace {

constexpr int cannot_start = 127;

[[noreturn]] void become(const std::vector<std::string>& command, const ProcessOptions& options, int output) {
  if (!options.show) ::dup2(output, STDOUT_FILENO), ::dup2(output, STDERR_FILENO);
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(cannot_start);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  std::fflush(nullptr);
  int ends[2];
  if (::pipe(ends) != 0) throw UserError(fmt::format("cannot run {}: {}", command[0], std::strerror(errno)));
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC), ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  const pid_t child = ::fork();
  if (child < 0) throw UserError(fmt::format("cannot run {}: {}", command[0], std::strerror(errno)));
  if (child == 0) become(command, options, ends[1]);
  ::close(ends[1]);

  ProcessResult result;
  for (;;) {
    const double left = options.time_limit - elapsed();
    const int wait =
        options.time_limit > 0 && !result.timed_out ? static_cast<int>(1000 * std::max(left, 0.0)) + 1 : -1;
    pollfd waiting{ends[0], POLLIN, 0};
    const int ready = ::poll(&waiting, 1, wait);
    if (ready == 0) {
      ::kill(child, SIGKILL);
      result.timed_out = true;
    }
    if (ready <= 0) continue;
    char buffer[65536];
    const ssize_t count = ::read(ends[0], buffer, sizeof buffer);
    if (count == 0 || (count < 0 && errno != EINTR)) break;
    if (count > 0) result.output.append(buffer, static_cast<size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.seconds = elapsed();
  if (result.exit_code == cannot_start) throw UserError(fmt::format("cannot run {}: is it installed?", command[0]));
  return result;
}

BuildLock::BuildLock(const std::filesystem::path& build_folder)
    : file_(::open((build_folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)) {
  if (file_ < 0) throw UserError(fmt::format("cannot write to {}: {}", build_folder.string(), std::strerror(errno)));
  ::flock(file_, LOCK_EX);
}
BuildLock::~BuildLock() { ::close(file_); }

}  // namespace cria::learn
