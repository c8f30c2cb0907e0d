// Chapter 19, from pairs of answers to a gradient for each of their tokens. It leaves out the loop over steps (chapter
// 14) and where pairs come from.
#include "chapters/19-dpo/dpo.hpp"

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

PairBatch::PairBatch(std::span<const PreferencePair> pairs, size_t positions, size_t first_number)
    : sequences_(2 * pairs.size()),
      positions_(positions),
      tokens_(sequences_ * positions, 0),
      targets_(sequences_ * positions, no_target) {
  for (size_t i = 0; i < pairs.size(); ++i) {
    require_valid(pairs[i], first_number + i, positions + 1);  // nothing is asked behind the last token
    for (const auto& [sequence, answer] :
         {std::pair(2 * i, &pairs[i].chosen), std::pair(2 * i + 1, &pairs[i].rejected)}) {
      // solution: pair_batch
      // Each position has the token behind it for its target, where that is one of the answer's.
      const std::vector<std::int32_t>& prompt = pairs[i].prompt;
      const size_t begin = sequence * positions;
      std::ranges::copy(prompt, tokens_.begin() + std::ptrdiff_t(begin));
      std::copy(answer->begin(), answer->end() - 1, tokens_.begin() + std::ptrdiff_t(begin + prompt.size()));
      std::ranges::copy(*answer, targets_.begin() + std::ptrdiff_t(begin + prompt.size() - 1));
      // end of solution
    }
  }
}

Batch PairBatch::batch() const {
  const Shape<2> shape = {sequences_, positions_};
  return {{tokens_.data(), shape}, {targets_.data(), shape}};
}

std::vector<double> summed_log_p(View<const real, 2> log_p, View<const std::int32_t, 2> targets) {
  require_shape("summed_log_p: targets", targets, log_p.shape());
  std::vector<double> sums(log_p.shape(0), 0);
  for (size_t b = 0; b < sums.size(); ++b)
    for (size_t t = 0; t < log_p.shape(1); ++t) {
      // solution: summed_log_p
      if (targets(b, t) != no_target) sums[b] += log_p(b, t);
      // end of solution
    }
  return sums;
}

PreferenceFigures preference_figures(std::span<const double> policy, std::span<const double> reference,
                                     std::span<const PreferencePair> pairs, const PreferenceOptions& options) {
  require(policy.size() == 2 * pairs.size() && reference.size() == policy.size() && !pairs.empty(),
          "preference_figures", "needs two sums for each pair, of policy and reference");
  PreferenceFigures figures;
  const double share = 1 / double(pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    const PairLogP p = of_pair(policy, i), r = of_pair(reference, i);
    figures.loss +=
        share * (preference_loss(p, r, options).loss + chosen_loss(p.chosen, pairs[i].chosen.size(), options).loss);
    figures.accuracy += preference_margin(p, r) > 0 ? share : 0;
    figures.chosen += share * (p.chosen - r.chosen);
    figures.rejected += share * (p.rejected - r.rejected);
  }
  return figures;
}

Objective preference_objective(std::vector<double> reference, const PreferenceOptions& options) {
  require_valid(options);
  require(!reference.empty() && reference.size() % 2 == 0, "preference_objective", "needs two sums for each pair");
  return [reference = std::move(reference), options](const RatedTargets& rated) {
    const size_t first = rated.batch.first, B = rated.log_p.shape(0), pairs = reference.size() / 2;
    require(first % 2 == 0 && B % 2 == 0, "preference_objective", "a micro-batch parts a pair");
    require(first + B <= reference.size(), "preference_objective", "the batch has more pairs than the reference");
    const std::vector<double> policy = summed_log_p(rated.log_p, rated.batch.targets);
    double loss = 0;
    for (size_t i = 0; i < B / 2; ++i) {
      // solution: preference_objective
      const PairLogP log_p = of_pair(policy, i);
      const PairLoss pair = preference_loss(log_p, of_pair(reference, first / 2 + i), options);
      const ChosenLoss chosen =
          chosen_loss(log_p.chosen, count_targets(part_of(rated.batch, 2 * i, 2 * i + 1)), options);
      loss += (pair.loss + chosen.loss) / double(pairs);
      // A sum has the same derivative by each of its terms.
      noalias(rated.d_log_p[2 * i]) = real((pair.d_policy.chosen + chosen.d_policy) / double(pairs));
      noalias(rated.d_log_p[2 * i + 1]) = real(pair.d_policy.rejected / double(pairs));
      // end of solution
    }
    return loss;
  };
}

}  // namespace cria
