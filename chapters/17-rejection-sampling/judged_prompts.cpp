#include "chapters/17-rejection-sampling/judged_prompts.hpp"

#include <numeric>

#include "chapters/11-pretraining/shuffled_order.hpp"
#include "chapters/16-reward-model/pair_source.hpp"
#include "chapters/16-reward-model/reward.hpp"
#include "lib/base/fingerprint.hpp"

namespace cria {

double mean(std::span<const double> scores) {
  return std::accumulate(scores.begin(), scores.end(), 0.0) / double(scores.size());
}

JudgedPrompts story_prompts(std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder) {
  const auto judge = [=](std::uint64_t first, std::span<const FinishedText> answers) {
    std::vector<double> scores;
    for (const FinishedText& answer : answers)
      scores.push_back(requests->judge(requests->at(first + answer.request).request, answer.text).all() ? 1 : 0);
    return scores;
  };
  return {[=, &encoder](std::uint64_t i) { return encoder.prompt(as_question(requests->at(i).request)); }, judge,
          StoryRequests::fingerprint()};
}

JudgedPrompts own_prompts(std::vector<std::vector<TokenId>> prompts, double held_out, std::uint64_t seed) {
  const size_t trained = count_trained(prompts.size(), held_out, "prompts"), held = prompts.size() - trained;
  std::uint64_t sum = fingerprint_start;
  for (const std::vector<TokenId>& one : prompts) sum = fingerprint_of(one, sum);
  const auto all = std::make_shared<const std::vector<std::vector<TokenId>>>(std::move(prompts));
  const auto prompt = [=, order = ShuffledOrder(seed, trained)](std::uint64_t i) mutable {
    const bool asked_again = i < JudgedPrompts::held_out || held == 0;  // one that is trained on
    return (*all)[asked_again ? order.at(i) : trained + (i - JudgedPrompts::held_out) % held];
  };
  return {prompt, {}, sum};
}

JudgedPrompts marked_by(const ValueModel& model, JudgedPrompts prompts, TokenId end, ThreadPool& pool) {
  prompts.proxy = [&model, &pool, end, prompt = prompts.prompt](std::uint64_t first,
                                                                std::span<const FinishedText> answers) {
    std::vector<std::vector<TokenId>> texts;
    for (const FinishedText& answer : answers) {
      std::vector<TokenId>& text = texts.emplace_back(prompt(first + answer.request));
      text.insert(text.end(), answer.result.tokens.begin(), answer.result.tokens.end());
      if (answer.result.ended) text.push_back(end);
    }
    return rewards_of(model, texts, pool);
  };
  const std::span<const real> weights = model.flat();
  prompts.fingerprint =
      bulk_fingerprint({reinterpret_cast<const char*>(weights.data()), weights.size_bytes()}, prompts.fingerprint);
  return prompts;
}

}  // namespace cria
