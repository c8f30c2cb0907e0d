// Counts the allocations of a test program. Link cria_allocations: it replaces operator new.
#pragma once

#include <cstddef>

namespace cria::testing {

/// How often operator new was called so far, by any thread.
std::size_t allocations();

}  // namespace cria::testing
