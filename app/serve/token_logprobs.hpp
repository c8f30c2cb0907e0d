// TokenLogprobs: how likely a token was, and which were the likeliest, by the model's own distribution (log-softmax of
// the logits, before temperature and cuts).
#pragma once

#include <utility>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria::serve {

struct TokenLogprobs {
  TokenId token = 0;
  double logprob = 0;                                 // natural logarithm
  std::vector<std::pair<TokenId, double>> likeliest;  // in descending order; of equal ones the smaller id first
};

/// Logits may be -infinity, where a token is impossible; their logarithm is then OpenAI's -9999.
TokenLogprobs token_logprobs(View<const real, 1> logits /*(V)*/, TokenId token, size_t likeliest);

}  // namespace cria::serve
