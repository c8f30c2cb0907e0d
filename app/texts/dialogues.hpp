// cria stories --requests --turns: dialogues.
#pragma once

#include "app/texts/stories.hpp"

namespace cria {

/// Returns the exit code. Throws UserError for options that dialogues do not have.
int run_dialogues(const StoriesOptions& options);

}  // namespace cria
