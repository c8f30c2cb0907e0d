// Chapter 11, the log of a run.
#include "chapters/11-pretraining/run_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

constexpr size_t most_waiting = 16 << 20;  // bytes; older lines are given up

std::string log_line(const Progress& p) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.6g}", *value) : std::string("null");
  };
  std::string line = fmt::format(
      R"({{"step": {}, "seconds": {:.3f}, "loss": {:.9g}, "val_loss": {}, "bits_per_byte": {:.6g}, "floor": {}, )"
      R"("tokens_per_second": {:.0f}, "lr": {:.6g}, "grad_norm": {:.6g})",
      p.step, p.seconds, p.loss, number(p.validation_loss), p.bits_per_byte, number(p.floor), p.tokens_per_second,
      p.learning_rate, p.gradient_norm);
  for (const auto& [name, value] : p.figures) line += fmt::format(R"(, "{}": {:.6g})", name, value);
  return line + "}";
}

// The first lines of a log, up to that of this step. A line that a crash cut off ends them.
std::string_view lines_until(std::string_view text, size_t last_step) {
  size_t end = 0;
  for (size_t next; (next = text.find('\n', end)) != text.npos; end = next + 1) {
    constexpr std::string_view begin = R"({"step": )";
    const std::string_view line = text.substr(end, next - end);
    size_t step = 0;
    if (!line.starts_with(begin)) break;
    const auto [after, error] = std::from_chars(line.data() + begin.size(), line.data() + line.size(), step);
    if (error != std::errc() || after == line.data() + line.size() || *after != ',' || step > last_step) break;
  }
  return text.substr(0, end);
}

}  // namespace

RunLog::RunLog(const std::filesystem::path& file, size_t steps_done, Warn warn) : path_(file), warn_(std::move(warn)) {
  if (steps_done > 0 && std::filesystem::is_regular_file(file)) {
    const std::string text = read_file(file);
    const std::string_view kept = lines_until(text, steps_done);
    if (kept.size() < text.size()) write_file_atomically(file, kept);
    if (!kept.empty()) last_line_ = kept.substr(kept.find_last_of('\n', kept.size() - 2) + 1);
  }
  file_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (steps_done > 0 ? 0 : O_TRUNC), 0644);
  struct stat status {};
  if (file_ < 0 || ::fstat(file_, &status) != 0)
    throw UserError(fmt::format("cannot write the log {}: {}", file.string(), std::strerror(errno)));
  regular_ = S_ISREG(status.st_mode);
}

RunLog::~RunLog() {
  if (file_ >= 0) ::close(file_);
}

void RunLog::warn_once() {
  if (!warned_)
    warn_(fmt::format("cannot write the log {}: {}; the run goes on", path_.string(), std::strerror(errno)));
  warned_ = true;
}

void RunLog::add(const Progress& progress) {
  last_line_ = log_line(progress) + "\n";
  if (waiting_.size() > most_waiting) waiting_.clear();
  waiting_ += last_line_;
  struct stat before {};
  if (regular_) ::fstat(file_, &before);
  for (std::string_view rest = waiting_; !rest.empty();) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      warn_once();
      if (regular_ && ::ftruncate(file_, before.st_size) == 0) return;  // no half lines; all are tried again
      waiting_.clear();
      return;
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  waiting_.clear();
}

void RunLog::sync() {
  if (regular_ && ::fsync(file_) != 0) warn_once();
}

}  // namespace cria
