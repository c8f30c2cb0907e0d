// TokenSet: some tokens of a vocabulary, a bit each.
#pragma once

#include <cstdint>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

class TokenSet {
 public:
  /// None of the tokens 0 … size - 1.
  explicit TokenSet(size_t size = 0) : words_((size + 63) / 64) {}

  void add(TokenId token) { words_[static_cast<size_t>(token) / 64] |= std::uint64_t(1) << (token % 64); }
  bool contains(TokenId token) const {
    const size_t word = static_cast<size_t>(token) / 64;
    return word < words_.size() && (words_[word] >> (token % 64) & 1) != 0;
  }
  size_t count() const;

  /// Sets the logits of all other tokens to minus infinity; those that it has no bit for as well.
  void mask(View<real, 1> logits /*(V)*/) const;

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace cria
