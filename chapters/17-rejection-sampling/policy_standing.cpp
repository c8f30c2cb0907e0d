#include "chapters/17-rejection-sampling/policy_standing.hpp"

#include <cmath>

#include "chapters/10-training-step/loss_evaluator.hpp"
#include "chapters/14-sft/answer_document.hpp"

namespace cria {

PolicyStanding measure_policy(const LlamaWeights& policy, const LlamaWeights& reference, const Tokenizer& tokenizer,
                              const JudgedPrompts& prompts, std::uint64_t first, size_t count, const AnswerStyle& style,
                              ThreadPool& pool) {
  BestAnswers best(count);
  PolicyStanding figures;
  for (const double reward : answer_prompts(policy, tokenizer, prompts, first, count, 1, style, 0, pool.size(), best))
    figures.reward += reward / double(count);
  std::vector<double> log_ratio(count);
  pool.for_each(count, [&](size_t i) {
    const Answer& answer = *best.all()[i];
    Document document = answer_document(prompts.prompt(first + i), answer.tokens, style.end, 0);
    if (!answer.ended) document.targets.back() = no_target;  // the policy has not ended it
    BatchMemory memory(1, document.tokens.size(), true);
    memory.add(document);
    LossEvaluator evaluator(policy.config, 1, document.tokens.size(), false);
    log_ratio[i] = evaluator.forward(reference, memory.batch()) - evaluator.forward(policy, memory.batch());
  });
  double squares = 0;
  for (size_t i = 0; i < count; ++i) {
    figures.divergence += log_ratio[i] / double(count);
    figures.tokens += double(best.all()[i]->tokens.size() + best.all()[i]->ended) / double(count);
  }
  for (const double ratio : log_ratio) squares += (ratio - figures.divergence) * (ratio - figures.divergence);
  figures.divergence_error = std::sqrt(squares / double(count) / double(count));
  return figures;
}

}  // namespace cria
