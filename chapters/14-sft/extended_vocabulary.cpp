// Chapter 14, a model's weights for another vocabulary.
#include "chapters/14-sft/extended_vocabulary.hpp"

#include <algorithm>
#include <string_view>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

void fill_rows(View<const real, 2> old, const std::vector<std::vector<TokenId>>& pieces, View<real, 2> renewed) {
  for (size_t row = 0; row < pieces.size(); ++row) {
    for (const TokenId piece : pieces[row])
      require(piece >= 0 && size_t(piece) < old.shape(0), "with_vocabulary", "a piece is not in the old vocabulary");
    // solution: mean_of_pieces
    for (const TokenId piece : pieces[row]) noalias(renewed[row]) += old[size_t(piece)] / real(pieces[row].size());
    // end of solution
  }
}

}  // namespace

std::vector<std::vector<TokenId>> old_pieces(const Tokenizer& old, const Tokenizer& renewed) {
  std::vector<std::vector<TokenId>> pieces(renewed.vocabulary_size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    const std::string_view text = renewed.piece(TokenId(i));
    const size_t place = old.model().vocabulary.find(text);
    // What is special in one of both alone is another token that looks the same.
    const bool same = place != ByteStrings::npos && old.is_special(TokenId(place)) == renewed.is_special(TokenId(i));
    // solution: old_pieces
    pieces[i] = same ? std::vector{TokenId(place)} : old.encode_continuation(text);
    // end of solution
  }
  return pieces;
}

LlamaParameters with_vocabulary(const LlamaParameters& weights, const std::vector<std::vector<TokenId>>& pieces) {
  LlamaConfig config = weights.config();
  config.vocabulary_size = pieces.size();
  LlamaParameters renewed(config);
  const LlamaTensors<real>&from = weights.tensors(), &to = renewed.tensors();
  fill_rows(from.embedding, pieces, to.embedding);
  if (!config.tied_embeddings) fill_rows(from.head, pieces, to.head);
  // What stands between embedding and head has the same places in both, a whole embedding apart.
  const std::span<const real> old_rest = weights.flat().subspan(from.embedding.size());
  const std::span<real> rest = renewed.flat().subspan(to.embedding.size());
  const size_t head = config.tied_embeddings ? 0 : to.head.size();
  std::copy_n(old_rest.begin(), rest.size() - head, rest.begin());
  return renewed;
}

}  // namespace cria
