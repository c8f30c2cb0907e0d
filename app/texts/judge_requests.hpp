// cria judge --requests
#pragma once

#include "app/texts/judge.hpp"

namespace cria {

/// Returns the exit code. Throws UserError for a file that holds no requests.
int run_judge_requests(const JudgeOptions& options);

}  // namespace cria
