// Chapter 16: pairs for the steps of a run, in an order that changes with each pass, and those that are held out.
#pragma once

#include <span>
#include <vector>

#include "chapters/11-pretraining/recipe.hpp"
#include "chapters/11-pretraining/shuffled_order.hpp"
#include "chapters/14-sft/instruction_encoder.hpp"
#include "chapters/14-sft/preference_data.hpp"
#include "chapters/16-reward-model/preference_pair.hpp"

namespace cria {

/// Pairs as tokens. Each answer has its end, as it is judged as a whole.
std::vector<PreferencePair> encode_pairs(std::span<const Preference> preferences, const InstructionEncoder& encode);

/// How many of `count` are trained on: the first ones, as the last `held_out` of them, a share, are not. Throws
/// UserError when none is left; `what` they are is for its message.
size_t count_trained(size_t count, double held_out, const char* what);

class PairSource {
 public:
  /// The last `held_out` of them, a share, are never trained on. Throws UserError when none is left.
  PairSource(std::vector<PreferencePair> pairs, double held_out, std::uint64_t seed);

  /// Which pairs come next.
  std::vector<size_t> next(size_t count);

  std::span<const PreferencePair> all() const { return pairs_; }
  size_t trained() const { return order_.count(); }  // so many of all, the first ones
  std::span<const PreferencePair> held_out() const { return all().subspan(trained()); }
  /// Copies of these.
  std::vector<PreferencePair> at(std::span<const size_t> indices) const;

  std::uint64_t position() const { return position_; }
  void restore(std::uint64_t position) { position_ = position; }
  std::uint64_t fingerprint() const;

 private:
  std::vector<PreferencePair> pairs_;
  ShuffledOrder order_;
  std::uint64_t position_ = 0;
};

/// A pair is two sequences that a trainer keeps together. Throws UserError for a batch of an odd number of sequences.
void keep_pairs_together(Recipe& recipe);

}  // namespace cria
