// Sampling: from the logits of the next token to one token.
//
// Greedy choice, temperature, top-k (Fan et al. 2018, arXiv:1805.04833), top-p (Holtzman et al. 2019,
// arXiv:1904.09751), min-p (Nguyen et al. 2024, arXiv:2407.01082) and the repetition penalty (Keskar et al. 2019,
// arXiv:1909.05858). Beam search and penalties by count are left out; stop strings are in stop_strings.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/random.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// The defaults filter nothing. What is set applies in this order, which is Hugging Face's: penalty, temperature,
/// top-k, top-p, min-p, each on what the one before has left.
struct SamplingOptions {
  double temperature = 1;         ///< logits are divided by it; 0 (or below 1e-5) always takes the largest logit
  std::int32_t top_k = 0;         ///< keep the k most probable tokens; 0 keeps all
  double top_p = 1;               ///< keep the fewest most probable tokens that together reach p, in (0, 1]
  double min_p = 0;               ///< keep tokens of at least min_p times the largest probability, in [0, 1]
  double repetition_penalty = 1;  ///< divides positive and multiplies negative logits of recent tokens; above 0
  std::uint64_t seed = 0;
  /// Take the seed itself as the generator's first state, as llama2.c does, so that its published samples can be
  /// reproduced. Otherwise the seed is mixed first, because nearby states begin with related numbers.
  bool raw_seed = false;
};

/// Draws one token after another. Same options, same logits: same tokens. Allocates nothing after construction.
class Sampler {
 public:
  /// Throws UserError for an option out of its range.
  Sampler(const SamplingOptions& options, size_t vocabulary_size);

  /// A token drawn from `distribution`. It takes one random number, or none where the choice is greedy; of equally
  /// probable tokens the one with the smaller id comes first. `recent` are the tokens that the penalty applies to;
  /// without one they are not looked at. Throws UserError when the logits allow no choice (NaN or infinite),
  /// ContractError for a token out of range.
  std::int32_t sample(View<const real, 1> logits /*(V)*/, std::span<const std::int32_t> recent = {});

  /// The probability with which `sample` takes each token; 0 for those that are filtered out.
  void distribution(View<const real, 1> logits /*(V)*/, std::span<const std::int32_t> recent,
                    View<real, 1> probabilities /*(V)*/);

 private:
  bool greedy() const { return options_.temperature < 1e-5; }
  bool filters() const { return options_.top_k > 0 || options_.top_p < 1 || options_.min_p > 0; }
  void load_logits(View<const real, 1> logits, std::span<const std::int32_t> recent);
  void to_probabilities();
  std::int32_t most_probable() const;
  std::int32_t pick_by_id(double target) const;
  double filter();
  void close_gaps();

  SamplingOptions options_;
  Random random_;
  size_t vocabulary_size_;
  std::vector<real> values_;          // logits, then probabilities; all V, or fewer when many are filtered out
  std::vector<std::int32_t> tokens_;  // their ids
};

}  // namespace cria
