#include "chapters/17-rejection-sampling/sampled_pairs.hpp"

#include "lib/base/random.hpp"

namespace cria {
namespace {

/// Other ends for the good answers, as requests: `of` names each one's answer.
struct Branches {
  std::vector<TextRequest> requests;
  std::vector<size_t> of;
};

Branches branch(const BestAnswers& answers, const JudgedPrompts& prompts, const AnswerStyle& style, size_t count) {
  Branches branches;
  Random random(style.seed);
  for (const size_t i : answers.worth_learning(0.5)) {
    const Answer& answer = *answers.all()[i];
    for (size_t k = 0; k < count; ++k) {
      TextRequest request{prompts.prompt(i), {}};
      const size_t kept = size_t(random.uniform() * double(answer.tokens.size()));
      request.prompt.insert(request.prompt.end(), answer.tokens.begin(), answer.tokens.begin() + std::ptrdiff_t(kept));
      request.options.tokens = style.positions - request.prompt.size();
      request.options.sampling.seed = style.seed + (std::uint64_t(1) << 31) + branches.of.size();
      branches.requests.push_back(std::move(request));
      branches.of.push_back(i);
    }
  }
  return branches;
}

}  // namespace

SampledPairs sample_pairs(const LlamaWeights& weights, const Tokenizer& tokenizer,
                          std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder,
                          const AnswerStyle& style, const PairSampling& options, size_t threads) {
  constexpr size_t places = 32;
  SampledPairs sampled;
  std::vector<std::string> bad(options.count);
  JudgedPrompts prompts = story_prompts(requests, encoder);
  prompts.proxy = [&](std::uint64_t first, std::span<const FinishedText> answers) {
    std::vector<double> rewards = prompts.judge(first, answers);
    for (size_t i = 0; i < answers.size(); ++i)
      if (std::string& kept = bad[answers[i].request]; rewards[i] <= 0 && kept.empty()) kept = answers[i].text;
    sampled.reward = mean(rewards);
    return rewards;
  };
  BestAnswers best(options.count);
  answer_prompts(weights, tokenizer, prompts, 0, options.count, options.samples, style, 0, threads, best);
  const auto add = [&](size_t i, const std::string& rejected) {
    sampled.pairs.push_back({as_question(requests->at(i).request), best.all()[i]->text, rejected});
  };
  if (options.branches == 0) {
    for (const size_t i : best.worth_learning(0.5))
      if (!bad[i].empty()) add(i, bad[i]);
    return sampled;
  }
  const Branches branches = branch(best, prompts, style, options.branches);
  if (branches.of.empty()) return sampled;
  BatchDecoder decoder(weights, std::min(places, branches.of.size()), style.positions, threads);
  std::vector<FinishedText> ends = generate_texts(decoder, tokenizer, branches.requests, style.ends);
  for (FinishedText& text : ends) {  // the whole answer, of which only the end is new
    const std::vector<TokenId>& begun = branches.requests[text.request].prompt;
    text.request = branches.of[text.request];
    std::vector<TokenId> answer(begun.begin() + std::ptrdiff_t(prompts.prompt(text.request).size()), begun.end());
    answer.insert(answer.end(), text.result.tokens.begin(), text.result.tokens.end());
    text.text = tokenizer.decode(answer);
  }
  const std::vector<double> rewards = prompts.judge(0, ends);
  for (size_t i = 0; i < ends.size(); ++i)
    if (rewards[i] <= 0) add(ends[i].request, ends[i].text);
  return sampled;
}

}  // namespace cria
