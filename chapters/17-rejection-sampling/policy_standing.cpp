#include "chapters/17-rejection-sampling/policy_standing.hpp"

#include <algorithm>
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
  const size_t lanes = std::min(pool.size(), count);
  pool.for_each(lanes, [&](size_t lane) {
    LossEvaluator evaluator(policy.config, 1, style.positions, false);
    for (size_t i = lane; i < count; i += lanes) {
      const Answer& answer = *best.all()[i];
      Document document = answer_document(prompts.prompt(first + i), answer.tokens, style.end, 0);
      if (!answer.ended) document.targets.back() = no_target;  // the policy has not ended it
      BatchMemory memory(1, document.tokens.size(), true);
      memory.add(document);
      log_ratio[i] = evaluator.forward(reference, memory.batch()) - evaluator.forward(policy, memory.batch());
    }
  });
  double squares = 0;
  for (const double ratio : log_ratio) figures.divergence += ratio / double(count);
  for (const double ratio : log_ratio) squares += (ratio - figures.divergence) * (ratio - figures.divergence);
  figures.divergence_error = std::sqrt(squares / double(count) / double(count));
  return figures;
}

}  // namespace cria
