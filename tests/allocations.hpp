// Counts the allocations of a test program. Add allocations.cpp to its sources: it replaces operator new.
#pragma once

#include <cstddef>

namespace cria::testing {

/// How often operator new was called so far, by any thread.
std::size_t allocations();

}  // namespace cria::testing
