// Running another program: the compiler, a chapter's tests. Leaves out input, and output while the program runs.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace cria::learn {

struct ProcessOptions {
  double time_limit = 0;                                           // seconds, after which it is killed; 0: none
  std::vector<std::pair<std::string, std::string>> environment{};  // on top of this program's
  bool show = false;                                               // its output goes to the screen instead
};

struct ProcessResult {
  int exit_code = 0;  // when it ended by itself
  int signal = 0;     // when something killed it
  bool timed_out = false;
  double seconds = 0;
  std::string output;  // what it wrote, standard output and error as they came

  bool succeeded() const { return signal == 0 && exit_code == 0; }
};

/// Runs a program that is searched for as a shell would, and waits for its end. Throws UserError when it cannot start.
ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options = {});

/// Holds the lock that the script ./cria takes while it builds, so that two builds never meet in one folder.
class BuildLock {
 public:
  explicit BuildLock(const std::filesystem::path& build_folder);
  ~BuildLock();
  BuildLock(const BuildLock&) = delete;

 private:
  int file_;
};

}  // namespace cria::learn
