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

constexpr size_t most_output = size_t(16) << 20;  // of a loop that prints without end, the end is kept

/// A pipe that no program started later gets to see.
struct Pipe {
  int read_end = -1, write_end = -1;

  explicit Pipe(const std::string& program) {
    int ends[2];
    if (::pipe(ends) != 0) throw UserError(fmt::format("cannot run {}: {}", program, std::strerror(errno)));
    read_end = ends[0], write_end = ends[1];
    for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  ~Pipe() {
    ::close(read_end);
    close_write_end();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_write_end() {
    if (write_end >= 0) ::close(write_end);
    write_end = -1;
  }
};

/// In the child: the command takes its place. What went wrong, if it cannot, is written to `complaints`.
[[noreturn]] void become(const std::vector<std::string>& command, const ProcessOptions& options, int output,
                         int complaints) {
  if (!options.show) ::dup2(output, STDOUT_FILENO), ::dup2(output, STDERR_FILENO);
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(complaints, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  std::fflush(nullptr);
  Pipe output(command[0]), complaints(command[0]);
  const pid_t child = ::fork();
  if (child < 0) throw UserError(fmt::format("cannot run {}: {}", command[0], std::strerror(errno)));
  if (child == 0) become(command, options, output.write_end, complaints.write_end);
  output.close_write_end();
  complaints.close_write_end();

  ProcessResult result;
  for (;;) {
    const double left = options.time_limit - elapsed();
    const int wait =
        options.time_limit > 0 && !result.timed_out ? static_cast<int>(1000 * std::max(left, 0.0)) + 1 : -1;
    pollfd waiting{output.read_end, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, wait);
    if (ready == 0) {
      ::kill(child, SIGKILL);
      result.timed_out = true;
    }
    if (ready <= 0) continue;
    char buffer[65536];
    const ssize_t count = ::read(output.read_end, buffer, sizeof buffer);
    if (count == 0 || (count < 0 && errno != EINTR)) break;
    if (count > 0) result.output.append(buffer, static_cast<size_t>(count));
    if (result.output.size() > most_output) result.output.erase(0, most_output / 2);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.seconds = elapsed();
  int error = 0;  // a program that started may well end with 127 itself, as a shell does
  if (::read(complaints.read_end, &error, sizeof error) == sizeof error)
    throw UserError(
        fmt::format("cannot run {}: {}", command[0], error == ENOENT ? "is it installed?" : std::strerror(error)));
  return result;
}

BuildLock::BuildLock(const std::filesystem::path& build_folder)
    : file_(::open((build_folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)) {
  if (file_ < 0) throw UserError(fmt::format("cannot write to {}: {}", build_folder.string(), std::strerror(errno)));
  ::flock(file_, LOCK_EX);
}
BuildLock::~BuildLock() { ::close(file_); }

}  // namespace cria::learn
