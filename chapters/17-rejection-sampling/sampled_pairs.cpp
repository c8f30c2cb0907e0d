#include "chapters/17-rejection-sampling/sampled_pairs.hpp"

namespace cria {

SampledPairs sample_pairs(const LlamaWeights& weights, const Tokenizer& tokenizer,
                          std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder,
                          const AnswerStyle& style, size_t count, size_t samples, size_t threads) {
  SampledPairs sampled;
  std::vector<std::string> good(count), bad(count);
  JudgedPrompts prompts = story_prompts(requests, encoder);
  prompts.proxy = [&](std::uint64_t first, std::span<const FinishedText> answers) {
    std::vector<double> rewards = prompts.judge(first, answers);
    for (size_t i = 0; i < answers.size(); ++i) {
      std::string& kept = (rewards[i] > 0 ? good : bad)[answers[i].request];
      if (kept.empty()) kept = answers[i].text;
      sampled.reward += rewards[i] / double(answers.size());
    }
    return rewards;
  };
  BestAnswers best(count);
  answer_prompts(weights, tokenizer, prompts, 0, count, samples, style, 0, threads, best);
  for (size_t i = 0; i < count; ++i)
    if (!good[i].empty() && !bad[i].empty())
      sampled.pairs.push_back({as_question(requests->at(i).request), good[i], bad[i]});
  return sampled;
}

}  // namespace cria
