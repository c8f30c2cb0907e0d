// The name under which cria was called, for hints that can be typed as they stand.
#pragma once

#include <cstdlib>
#include <string>

namespace cria {

/// "./cria" where the script started the program (it says so in CRIA_COMMAND), else "cria".
inline const char* command_name() {
  const char* name = std::getenv("CRIA_COMMAND");
  return name ? name : "cria";
}

/// A path as it is typed in a shell: in quotation marks where it holds more than plain characters.
inline std::string quoted_for_shell(const std::string& path) {
  constexpr const char* plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+:,@%=";
  if (!path.empty() && path.find_first_not_of(plain) == path.npos) return path;
  std::string quoted = "'";
  for (const char c : path) c == '\'' ? quoted += "'\\''" : quoted += c;
  return quoted + "'";
}

}  // namespace cria
