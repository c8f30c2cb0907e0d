// The models without merges: bytes and characters.
#include "chapters/01-bpe/bpe_model.hpp"

#include <map>

#include "lib/base/check.hpp"

namespace cria {

BpeModel bytes_model(const std::vector<std::string>& special_tokens) {
  BpeModel model;
  for (int byte = 0; byte < 256; ++byte) model.vocabulary.insert(std::string(1, static_cast<char>(byte)));
  add_special_tokens(model, special_tokens);
  return model;
}

BpeModel characters_model(std::string_view text, const std::vector<std::string>& special_tokens) {
  std::map<std::int32_t, std::string_view> characters;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.code_point < 0)
      throw UserError("a character tokenizer needs UTF-8 text: byte " + std::to_string(at) + " is not UTF-8");
    characters.emplace(character.code_point, text.substr(at, character.size));
    at += character.size;
  }
  BpeModel model;
  model.alphabet = Alphabet::characters;
  for (const auto& [code_point, bytes] : characters) model.vocabulary.insert(bytes);
  add_special_tokens(model, special_tokens);
  return model;
}

void add_special_tokens(BpeModel& model, const std::vector<std::string>& special_tokens) {
  for (const std::string& token : special_tokens) {
    if (token.empty()) throw UserError("a special token must not be empty");
    if (model.vocabulary.find(token) != ByteStrings::npos)
      throw UserError("special token " + in_quotes(token) + " is in the vocabulary already");
    model.special_tokens.push_back(static_cast<TokenId>(model.vocabulary.insert(token)));
  }
}

}  // namespace cria
