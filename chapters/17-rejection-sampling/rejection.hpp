// Chapter 17: rejection sampling fine-tuning (Touvron et al. 2023, arXiv:2307.09288, section 3.2.3).
//
// A round samples k answers to each request, lets a reward judge them, and keeps the best answer that any round gave.
// The model is then trained on those answers as on any others (chapter 14), and samples the next round's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chapters/09-sampling/generate.hpp"

namespace cria {

struct Answer {
  std::vector<TokenId> tokens;  // without the end token
  std::string text;
  bool ended = false;  // by the model, not by the limit
  double reward = 0;
  size_t round = 0;  // that gave it
};

/// How good each answer is; more is better. The `request` of each says which prompt it answers. All of a round come at
/// once, on one thread: a model that gives marks reads many texts faster together.
using Reward = std::function<std::vector<double>(std::span<const FinishedText> answers)>;

/// The best answer to each request over all rounds. Without the earlier ones a model forgets what it could do (Llama 2:
/// rhymes).
class BestAnswers {
 public:
  explicit BestAnswers(size_t requests) : best_(requests) {}

  /// Keeps the answer if none was there or it is better; of equally good ones the first stays. Returns whether it is
  /// kept. Throws ContractError for a request that is not there, and UserError for a reward that is NaN.
  bool offer(size_t request, Answer answer);

  /// One for each request; nothing where none was offered.
  std::span<const std::optional<Answer>> all() const { return best_; }
  /// Those with at least that reward, as request numbers: an answer that is the best of bad ones teaches what is bad.
  std::vector<size_t> worth_learning(double least_reward) const;

 private:
  std::vector<std::optional<Answer>> best_;
};

struct RoundOptions {
  GenerationOptions generation;  // its seed is that of the first answer; each has the next one
  size_t samples = 8;            // k
  size_t round = 0;              // counted from 0: a round has seeds of its own
  size_t positions = SIZE_MAX;   // of a prompt with its answer, at most; each prompt has fewer
};

/// Samples k answers to each prompt, side by side, and offers all of them. Returns their rewards, of request i from i k
/// on. The same options give the same answers, whatever the decoder's places and threads. A prompt is read once for its
/// k answers.
std::vector<double> sample_round(BatchDecoder& decoder, const Tokenizer& tokenizer,
                                 std::span<const std::vector<TokenId>> prompts, std::span<const TokenId> ends,
                                 const RoundOptions& options, const Reward& reward, BestAnswers& best);

}  // namespace cria
