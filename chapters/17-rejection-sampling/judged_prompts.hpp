// Chapter 17: prompts without end whose answers can be judged, for the methods that learn from a model's own answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "chapters/09-sampling/generate.hpp"
#include "chapters/14-sft/story_requests.hpp"
#include "chapters/16-reward-model/value_model.hpp"
#include "lib/base/thread_pool.hpp"

namespace cria {

/// What each answer earns; more is better. Its `request` counts from prompt number `first` on.
using AnswerScores = std::function<std::vector<double>(std::uint64_t first, std::span<const FinishedText> answers)>;

struct JudgedPrompts {
  /// Numbers from here on are held out: never trained on.
  static constexpr std::uint64_t held_out = StoryRequests::held_out;

  std::function<std::vector<TokenId>(std::uint64_t index)> prompt;  // number `index`, always the same
  AnswerScores judge;                                               // what is meant; empty: only a proxy knows
  std::uint64_t fingerprint = 0;                                    // of what they are
  AnswerScores proxy = {};  // what is learned from in its place: a model's marks; empty: the judge itself

  const AnswerScores& reward() const { return proxy ? proxy : judge; }
};

/// Of at least one score.
double mean(std::span<const double> scores);

/// The built-in requests, with the exact judge: 1 for a story that obeys all that was asked for, else 0. The encoder
/// must outlive it.
JudgedPrompts story_prompts(std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder);

/// Prompts of one's own, as tokens, which have no judge: marked_by gives them marks. The last `held_out` of them, a
/// share, are the held-out ones; the others come in an order that changes with each pass. Throws UserError where none
/// is left.
JudgedPrompts own_prompts(std::vector<std::vector<TokenId>> prompts, double held_out, std::uint64_t seed);

/// The same prompts with a reward model's marks for a proxy. It reads a prompt with its answer, and `end` behind one
/// that the model has ended. Model and pool must outlive it.
JudgedPrompts marked_by(const ValueModel& model, JudgedPrompts prompts, TokenId end, ThreadPool& pool);

}  // namespace cria
