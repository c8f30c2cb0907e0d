// Chapter 17: pairs of a model's own answers to the same prompt, one good and one bad, for chapters 16 and 19.
#pragma once

#include <vector>

#include "chapters/14-sft/preference_data.hpp"
#include "chapters/17-rejection-sampling/rejection_training.hpp"

namespace cria {

struct SampledPairs {
  std::vector<Preference> pairs;  // one for each prompt with answers of both kinds: the first good, the first bad
  double reward = 0;              // the mean of all answers
};

/// Of built-in requests: `samples` answers to each of the `count` first ones, judged exactly. A pair of its own answers
/// says what to change; of other models' answers it says what nobody would write.
SampledPairs sample_pairs(const LlamaWeights& weights, const Tokenizer& tokenizer,
                          std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder,
                          const AnswerStyle& style, size_t count, size_t samples, size_t threads);

}  // namespace cria
