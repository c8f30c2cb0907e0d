#include "chapters/17-rejection-sampling/sampled_pairs.hpp"

namespace cria {

SampledPairs sample_pairs(const LlamaWeights& weights, const Tokenizer& tokenizer,
                          std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder,
                          const AnswerStyle& style, size_t count, size_t samples, size_t threads) {
  SampledPairs sampled;
  std::vector<std::string> good(count), bad(count);
  JudgedPrompts prompts = story_prompts(requests, encoder);
  prompts.reward = [&, judge = prompts.reward](std::uint64_t i, std::string_view answer) {
    const double reward = judge(i, answer);
    std::string& first = reward > 0 ? good[i] : bad[i];
    if (first.empty()) first = answer;
    sampled.reward += reward / double(count * samples);
    return reward;
  };
  BestAnswers best(count);
  answer_prompts(weights, tokenizer, prompts, 0, count, samples, style, 0, threads, best);
  for (size_t i = 0; i < count; ++i)
    if (!good[i].empty() && !bad[i].empty())
      sampled.pairs.push_back({as_question(requests->at(i).request), good[i], bad[i]});
  return sampled;
}

}  // namespace cria
