// The name under which cria was called, for hints that can be typed as they stand.
#pragma once

#include <cstdlib>

namespace cria {

/// "./cria" where the script started the program (it says so in CRIA_COMMAND), else "cria".
inline const char* command_name() {
  const char* name = std::getenv("CRIA_COMMAND");
  return name ? name : "cria";
}

}  // namespace cria
