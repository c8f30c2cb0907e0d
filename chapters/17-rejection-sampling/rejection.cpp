// Chapter 17, a round of rejection sampling. It leaves out the training on what is kept, which is chapter 14's.
#include "chapters/17-rejection-sampling/rejection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"

namespace cria {

bool BestAnswers::offer(size_t request, Answer answer) {
  require(request < best_.size(), "BestAnswers::offer", "there is no such request");
  if (std::isnan(answer.reward)) throw UserError("the reward of an answer is NaN, expected a number");
  // solution: keep_best
  std::optional<Answer>& kept = best_[request];
  if (kept && answer.reward <= kept->reward) return false;
  kept = std::move(answer);
  return true;
  // end of solution
}

std::vector<size_t> BestAnswers::worth_learning(double least_reward) const {
  std::vector<size_t> requests;
  for (size_t i = 0; i < best_.size(); ++i)
    if (best_[i] && best_[i]->reward >= least_reward) requests.push_back(i);
  return requests;
}

std::vector<double> sample_round(BatchDecoder& decoder, const Tokenizer& tokenizer,
                                 std::span<const std::vector<TokenId>> prompts, std::span<const TokenId> ends,
                                 const RoundOptions& options, const Reward& reward, BestAnswers& best) {
  const size_t k = options.samples;
  require(k > 0, "sample_round", "no answers are asked for");
  std::vector<TextRequest> requests;
  std::vector<double> rewards(prompts.size() * k);
  for (const std::vector<TokenId>& prompt : prompts)
    if (prompt.size() >= options.positions)
      throw UserError(fmt::format("a prompt has {} tokens, more than the context of {} has room for", prompt.size(),
                                  options.positions));
  // solution: sample_round
  for (const std::vector<TokenId>& prompt : prompts)
    for (size_t i = 0; i < k; ++i) {
      TextRequest request{prompt, options.generation};
      request.options.tokens = std::min(request.options.tokens, options.positions - prompt.size());
      request.options.sampling.seed += options.round * rewards.size() + requests.size();
      requests.push_back(std::move(request));
    }
  // Offered in their order, not as they end: of equally good ones the first is kept.
  std::vector<FinishedText> answers = generate_texts(decoder, tokenizer, requests, ends);
  for (FinishedText& answer : answers) answer.request /= k;
  rewards = reward(answers);
  for (size_t i = 0; i < answers.size(); ++i) {
    FinishedText& answer = answers[i];
    best.offer(answer.request, {std::move(answer.result.tokens), std::move(answer.text), answer.result.ended,
                                rewards[i], options.round});
  }
  // end of solution
  return rewards;
}

}  // namespace cria
