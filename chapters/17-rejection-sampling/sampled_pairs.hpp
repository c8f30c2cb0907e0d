// Chapter 17: pairs of a model's own answers to the same prompt, one good and one bad, for chapters 16 and 19.
#pragma once

#include <vector>

#include "chapters/14-sft/preference_data.hpp"
#include "chapters/17-rejection-sampling/rejection_training.hpp"

namespace cria {

struct SampledPairs {
  std::vector<Preference> pairs;  // of a good answer and a bad one
  double reward = 0;              // the mean of the whole answers
};

struct PairSampling {
  size_t count = 400;   // requests
  size_t samples = 8;   // answers to each of them
  size_t branches = 0;  // other ends for each good answer
};

/// Of built-in requests: answers to the first `count`, judged exactly. A pair of its own answers says what to change;
/// of other models' answers it says what nobody would write.
///
/// Without branches there is one pair for each request with answers of both kinds: the first good, the first bad. With
/// branches the first good answer is begun anew behind a random one of its tokens, so many times, and each bad end
/// makes a pair with it. What both answers begin with cancels in the loss, so such a pair says where they part.
SampledPairs sample_pairs(const LlamaWeights& weights, const Tokenizer& tokenizer,
                          std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder,
                          const AnswerStyle& style, const PairSampling& options, size_t threads);

}  // namespace cria
