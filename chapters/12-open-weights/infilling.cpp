#include "chapters/12-open-weights/infilling.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {

InfillingTokens find_infilling_tokens(const Tokenizer& tokenizer) {
  const auto find = [&](const char* name) {
    for (const std::string& written : {fmt::format("▁<{}>", name), fmt::format("<{}>", name)})
      if (const auto id = tokenizer.special_id(written)) return *id;
    throw UserError(fmt::format("the model has no token <{}>, expected those that Code Llama fills gaps with", name));
  };
  return {find("PRE"), find("SUF"), find("MID"), find("EOT")};
}

std::vector<TokenId> infilling_prompt(const Tokenizer& tokenizer, std::optional<TokenId> begin, std::string_view prefix,
                                      std::string_view suffix, InfillingOrder order) {
  const InfillingTokens tokens = find_infilling_tokens(tokenizer);
  const std::vector<TokenId> before = tokenizer.encode(prefix), after = tokenizer.encode_continuation(suffix);
  std::vector<TokenId> ids;
  // solution: infilling_prompt
  if (begin) ids.push_back(*begin);
  ids.push_back(tokens.prefix);
  if (order == InfillingOrder::prefix_first) ids.insert(ids.end(), before.begin(), before.end());
  ids.push_back(tokens.suffix);
  ids.insert(ids.end(), after.begin(), after.end());
  ids.push_back(tokens.middle);
  if (order == InfillingOrder::suffix_first) ids.insert(ids.end(), before.begin(), before.end());
  // end of solution
  return ids;
}

}  // namespace cria
