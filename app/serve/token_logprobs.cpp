#include "app/serve/token_logprobs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/base/check.hpp"

namespace cria::serve {

TokenLogprobs token_logprobs(View<const real, 1> logits, TokenId token, size_t likeliest) {
  const size_t V = logits.shape(0);
  require(token >= 0 && size_t(token) < V, "token_logprobs", "the token is not in the vocabulary");
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (size_t id = 0; id < V; ++id) largest = std::max(largest, double(logits(id)));
  for (size_t id = 0; id < V; ++id) sum += std::exp(double(logits(id)) - largest);
  const double log_sum = largest + std::log(sum);
  const auto logprob = [&](TokenId id) { return std::max(double(logits(size_t(id))) - log_sum, -9999.0); };
  TokenLogprobs result{token, logprob(token), {}};
  std::vector<TokenId> ids(V);
  std::iota(ids.begin(), ids.end(), 0);
  const auto end = ids.begin() + std::ptrdiff_t(std::min(likeliest, V));
  std::partial_sort(ids.begin(), end, ids.end(), [&](TokenId a, TokenId b) {
    const real x = logits(size_t(a)), y = logits(size_t(b));
    return x != y ? x > y : a < b;
  });
  for (auto id = ids.begin(); id != end; ++id) result.likeliest.emplace_back(*id, logprob(*id));
  return result;
}

}  // namespace cria::serve
