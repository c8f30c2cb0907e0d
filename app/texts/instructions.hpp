// cria instructions: data for fine-tuning.
#pragma once

#include <string>
#include <vector>

#include "chapters/14-sft/instruction_filter.hpp"

namespace cria {

struct InstructionFilterOptions {
  std::vector<std::string> data;
  std::string out;
  FilterOptions filter;
};

/// Returns the exit code. Throws UserError for files that cannot be read or written.
int run_instruction_filter(const InstructionFilterOptions& options);

}  // namespace cria
