// What a grammar is refused for.
#pragma once

#include <string>

#include "lib/base/check.hpp"
#include "lib/grammar/grammar.hpp"

namespace cria::testing {

/// The message for a grammar that is read from memory under the name "file".
inline std::string message_of(const std::string& text) {
  try {
    Grammar::read(text, "file");
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace cria::testing
