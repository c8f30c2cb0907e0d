// Where code goes astray: an index beyond its view, memory that is not the program's, arithmetic without a result.
#pragma once

#include <string>
#include <vector>

#include "app/learn/chapter.hpp"

namespace cria::learn {

/// Builds the chapter's tests with what is staged under index checks and the address and undefined-behaviour
/// sanitizers, and runs `tests`. Returns the learner's line at which that stops, with the reason: "rmsnorm.cpp:23:
/// index 7, but axis 1 of the view has length 7". Empty when it stops nowhere, or in no line of theirs. `folder` is
/// that of stage().
std::string find_fault(const Chapter& chapter, const std::filesystem::path& folder,
                       const std::vector<std::string>& tests, double time_limit);

}  // namespace cria::learn
