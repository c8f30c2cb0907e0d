#include "chapters/22-serving/acceptance.hpp"

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {
namespace {

/// As drawn_token, for the weights weight(v) of V tokens; `otherwise` where all of them are 0.
template <class Weight>
TokenId draw(size_t vocabulary, double coin, TokenId otherwise, Weight weight) {
  double left = 0;
  for (size_t v = 0; v < vocabulary; ++v) left += weight(v);
  left *= coin;
  TokenId last = otherwise;
  for (size_t v = 0; v < vocabulary; ++v) {
    if (weight(v) <= 0) continue;
    last = static_cast<TokenId>(v);
    if ((left -= weight(v)) < 0) break;
  }
  return last;  // by rounding the last one may have been asked for a little more than it has
}

}  // namespace

TokenId verified_token(View<const real, 1> target, View<const real, 1> draft, TokenId drafted, double coin) {
  require_shape("verified_token: draft", draft, target.shape());
  const auto x = static_cast<size_t>(drafted);
  require(drafted >= 0 && x < draft.shape(0) && draft[x] > 0, "verified_token", "the draft gives its token nothing");
  double accepted = 0;
  // solution: acceptance
  accepted = std::min(1.0, double(target[x]) / double(draft[x]));
  // end of solution
  if (coin < accepted) return drafted;
  // solution: residual
  const double rest = (coin - accepted) / (1 - accepted);  // uniform in [0, 1) again
  return draw(target.shape(0), rest, drafted,
              [&](size_t v) { return std::max(0.0, double(target[v]) - double(draft[v])); });
  // end of solution
}

TokenId drawn_token(View<const real, 1> probabilities, double coin) {
  return draw(probabilities.shape(0), coin, 0, [&](size_t v) { return double(probabilities[v]); });
}

}  // namespace cria
