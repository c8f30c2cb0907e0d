// The value model, tokens and pairs of chapter 16's goldens.
#pragma once

#include <algorithm>

#include "chapters/16-reward-model/preference_pair.hpp"
#include "chapters/16-reward-model/value_model.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

inline ValueModel golden_value_model() {
  ValueModel model(tiny());
  const Array<real, 1> flat = golden_real<1>("16-reward-model/parameters.npy");
  REQUIRE(flat.size() == model.flat().size());
  std::ranges::copy(flat, model.flat().begin());
  return model;
}

/// Requests of 4 tokens; the second and third pair have a margin.
inline std::vector<PreferencePair> golden_reward_pairs() {
  const Array<double, 2> tokens = golden<2>("16-reward-model/tokens.npy");
  const Array<double, 1> lengths = golden<1>("16-reward-model/lengths.npy");
  const Array<double, 1> margins = golden<1>("16-reward-model/model_margins.npy");
  std::vector<PreferencePair> pairs(margins.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].margin = margins(i);
    for (size_t t = 0; t < tokens.shape(1); ++t) {
      const auto token = [&](size_t b) { return static_cast<std::int32_t>(tokens(b, t)); };
      if (t < 4) pairs[i].prompt.push_back(token(2 * i));
      if (t >= 4 && double(t) < 4 + lengths(2 * i)) pairs[i].chosen.push_back(token(2 * i));
      if (t >= 4 && double(t) < 4 + lengths(2 * i + 1)) pairs[i].rejected.push_back(token(2 * i + 1));
    }
  }
  return pairs;
}

template <class T>
View<const T, 1> row(std::span<T> numbers) {
  return {numbers.data(), {numbers.size()}};
}

}  // namespace cria::testing
