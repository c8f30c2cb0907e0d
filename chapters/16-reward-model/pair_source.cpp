#include "chapters/16-reward-model/pair_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"
#include "lib/base/fingerprint.hpp"

namespace cria {

size_t count_trained(size_t count, double held_out, const char* what) {
  const size_t held = std::min(count, size_t(std::ceil(double(count) * held_out)));
  if (held == count)
    throw UserError(fmt::format("of {} {} none is left to train on; lower data.validation", count, what));
  return count - held;
}

std::vector<PreferencePair> encode_pairs(std::span<const Preference> preferences, const InstructionEncoder& encode) {
  std::vector<PreferencePair> pairs;
  for (const Preference& one : preferences)
    pairs.push_back({encode.prompt(one.prompt), encode.answer(one.chosen), encode.answer(one.rejected), one.margin});
  return pairs;
}

PairSource::PairSource(std::vector<PreferencePair> pairs, double held_out, std::uint64_t seed)
    : pairs_(std::move(pairs)), order_(seed, count_trained(pairs_.size(), held_out, "pairs")) {}

std::vector<size_t> PairSource::next(size_t count) {
  std::vector<size_t> indices(count);
  for (size_t& index : indices) index = order_.at(position_++);
  return indices;
}

std::vector<PreferencePair> PairSource::at(std::span<const size_t> indices) const {
  std::vector<PreferencePair> some;
  for (const size_t index : indices) some.push_back(pairs_[index]);
  return some;
}

std::uint64_t PairSource::fingerprint() const {
  std::uint64_t sum = fingerprint_start;
  for (const PreferencePair& pair : pairs_)
    for (const auto* tokens : {&pair.prompt, &pair.chosen, &pair.rejected}) sum = fingerprint_of(*tokens, sum);
  return sum;
}

void keep_pairs_together(Recipe& recipe) {
  TrainerOptions& training = recipe.training;
  if (training.batch % 2 != 0)
    throw UserError(
        fmt::format("data.batch is {}, expected an even number, as a pair is two sequences", training.batch));
  training.together = 2;
  training.micro_batch += training.micro_batch % 2;
}

}  // namespace cria
