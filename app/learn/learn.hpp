// cria learn: the workshop, in which a learner writes the chapters' components.
#pragma once

#include <string>

namespace cria {

struct LearnOptions {
  std::string chapter;      // 03, rmsnorm; empty: the one that is under way
  std::string region;       // for a hint; empty: the first that is not written
  double time_limit = 30;   // seconds for a chapter's tests
  bool now = false;         // show the difference before the tests pass
  double minutes = 1;       // of training
  std::size_t threads = 0;  // 0: one for each CPU
  bool record = false;      // write fingerprints instead of checking them
  std::string table;        // prove: write the table of mistakes to this file
};

// Each returns the exit code. Throws UserError for bad options, and where there is no source tree to build.
int run_learn(const LearnOptions& options);
int run_learn_start(const LearnOptions& options);
int run_learn_check(const LearnOptions& options);
int run_learn_hint(const LearnOptions& options);
int run_learn_diff(const LearnOptions& options);
int run_learn_reset(const LearnOptions& options);
int run_learn_watch(const LearnOptions& options);
int run_learn_train(const LearnOptions& options);
/// For authors and CI: every skeleton waits, every reference passes, every mistake is caught and named.
int run_learn_prove(const LearnOptions& options);

}  // namespace cria
