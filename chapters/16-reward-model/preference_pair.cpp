// Chapter 16, what a pair must be to be learned from.
#include "chapters/16-reward-model/preference_pair.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>

#include "lib/base/check.hpp"

namespace cria {

void require_valid(const PreferencePair& pair, std::size_t number, std::size_t most_tokens) {
  const auto fault = [&](const std::string& what) { throw UserError(fmt::format("pair {}: {}", number, what)); };
  if (pair.prompt.empty()) fault("the request has no tokens, expected at least one");
  for (const auto& [name, answer] : {std::pair("chosen", &pair.chosen), std::pair("rejected", &pair.rejected)}) {
    if (answer->empty()) fault(fmt::format("the {} answer has no tokens, expected at least one", name));
    const std::size_t length = pair.prompt.size() + answer->size();
    if (length > most_tokens)
      fault(fmt::format("with the {} answer it has {} tokens, expected at most {}", name, length, most_tokens));
  }
  if (pair.chosen == pair.rejected) fault("both answers are the same, expected one that is better");
  if (!(pair.margin >= 0) || !std::isfinite(pair.margin))
    fault(fmt::format("the margin is {}, expected 0 or more", pair.margin));
}

}  // namespace cria
