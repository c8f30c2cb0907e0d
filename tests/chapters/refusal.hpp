// What a damaged folder is refused for.
#pragma once

#include "lib/base/check.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

/// The UserError that `load` throws, which has to be one line that names the folder; "" where it throws none.
template <class Load>
std::string refusal_of(const TemporaryFolder& folder, Load&& load) {
  try {
    load(folder.path());
  } catch (const UserError& refused) {
    const std::string message = refused.what();
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.find(folder.path().string()) != std::string::npos);
    return message;
  }
  return "";
}

}  // namespace cria::testing
