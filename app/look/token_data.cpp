#include "app/look/token_data.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/look/encoded.hpp"

namespace cria::look {
namespace {

using nlohmann::json;

constexpr size_t longest_word = 64;  // bytes, whose steps a reader could follow

/// A model may have tokens that its tokenizer does not, such as the one that begins a text.
bool known(const Tokenizer& tokenizer, TokenId id) { return id >= 0 && size_t(id) < tokenizer.vocabulary_size(); }

/// Whether a text can become it.
bool is_of_text(const Tokenizer& tokenizer, TokenId id) { return known(tokenizer, id) && !tokenizer.is_special(id); }

/// Where the word that begins with this token ends: where a piece of the text does, and for SentencePiece, whose pieces
/// are longer, where the next blank comes.
size_t word_end(const Tokenizer& tokenizer, const std::vector<TokenId>& tokens, size_t begin) {
  if (!is_of_text(tokenizer, tokens[begin])) return begin + 1;
  std::string rest;
  std::vector<size_t> ends;
  size_t most = begin;
  for (; most < tokens.size() && is_of_text(tokenizer, tokens[most]) && rest.size() < 4 * longest_word; ++most) {
    const std::string_view piece = tokenizer.piece(tokens[most]);
    if (tokenizer.model().sentencepiece && most > begin && piece.starts_with(' ')) break;
    ends.push_back(rest.size() + piece.size());
    rest += piece;
  }
  const size_t size = tokenizer.model().sentencepiece ? rest.size() : piece_end(tokenizer.model().pattern, rest, 0);
  size_t count = 0;
  while (count + 1 < ends.size() && ends[count] < size) ++count;
  return begin + count + 1;
}

}  // namespace

json pieces_of(const Tokenizer& tokenizer, const std::set<TokenId>& ids) {
  json pieces = json::object();
  for (const TokenId id : ids)
    if (known(tokenizer, id)) pieces[fmt::format("{}", id)] = hexadecimal(tokenizer.piece(id));
  return pieces;
}

json token_data(const Tokenizer& tokenizer, const MergeSteps& merges, std::string_view name,
                const std::vector<TokenId>& tokens) {
  std::set<TokenId> ids(tokens.begin(), tokens.end());
  json words = json::array(), special = json::array();
  for (size_t begin = 0, end; begin < tokens.size(); begin = end) {
    end = word_end(tokenizer, tokens, begin);
    const std::vector<TokenId> own(tokens.begin() + std::ptrdiff_t(begin), tokens.begin() + std::ptrdiff_t(end));
    std::string word;
    for (const TokenId token : own)
      if (is_of_text(tokenizer, token)) word += tokenizer.piece(token);
    json steps = json::array();
    if (!word.empty() && word.size() <= longest_word)
      for (const MergeStep& step : merges.of(word, own)) {
        steps.push_back({{"merge", step.merge}, {"tokens", step.tokens}});
        ids.insert(step.tokens.begin(), step.tokens.end());
      }
    words.push_back({{"from", begin}, {"to", end}, {"steps", std::move(steps)}});
  }
  for (const TokenId id : ids)
    if (known(tokenizer, id) && tokenizer.is_special(id)) special.push_back(id);
  return {{"name", name},
          {"vocabulary", tokenizer.vocabulary_size()},
          {"merges", tokenizer.model().merges.size()},
          {"tokens", tokens},
          {"words", std::move(words)},
          {"pieces", pieces_of(tokenizer, ids)},
          {"special", std::move(special)}};
}

}  // namespace cria::look
