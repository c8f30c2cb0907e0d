// --threads of every command.
#pragma once

#include <cstddef>

namespace cria {

/// As many as are wanted; 0 stands for one for each CPU that the program may use (lib/base/cpus.hpp). Throws UserError
/// for more than any machine has.
std::size_t thread_count(std::size_t wanted);

}  // namespace cria
