// Chapter 16: a Llama that gives a number to each position, in place of probabilities: the body of a language model
// under a head with one row and a bias. A reward model is one, and the critic of chapter 18.
#pragma once

#include "chapters/10-training-step/trainable.hpp"
#include "lib/base/random.hpp"

namespace cria {

/// All of its parameters, the body's first, under Hugging Face's names; the head's are score.weight and score.bias.
///
///   ValueModel model(base);
///   initialise_head(model, random);
///   Trainer trainer(model.config(), model.trainable(), options, pool);     // options.together = 2
///   const RewardBatch pairs(preferences, options.positions);               // ranking.hpp
///   trainer.step(pairs.batch(), learning_rate, ranking_objective(pairs));
///   const RankingFigures figures = ranking_figures(rewards_of(trainer, pairs), pairs.margins());
///   centre(model, rewards_of(model, demonstrations, pool));                // reward.hpp
class ValueModel : public ParameterSet {
 public:
  /// Zeros. Throws UserError when the configuration is not valid.
  explicit ValueModel(const LlamaConfig& config);
  /// With the body of a language model, and zeros for the head. The language model's own head is left behind, whether
  /// it is the embedding or not.
  explicit ValueModel(const LlamaParameters& base);

  /// The body's. It says that the embedding is tied, as the parameters of such a configuration are the body alone.
  const LlamaConfig& config() const { return config_; }
  View<real, 2> head() const { return head_; }  // (1, C)
  real& bias() const { return bias_(0); }

  /// What a forward pass reads, for llama_forward, llama_logits and ValueEvaluator. The bias is an addition to the head
  /// (lib/tensor/weight.hpp), so the wiring is chapter 08's. It holds as long as these parameters.
  const LlamaWeights& weights() const { return weights_; }
  /// For a trainer, whose objectives then see values. This must outlive it.
  Trainable trainable() const;

 private:
  LlamaConfig config_;
  View<real, 2> head_;
  View<real, 1> bias_;
  LlamaWeights weights_;
};

/// The head's weights are drawn from N(0, 1 / (C + 1)), so that the first values are about as large as 1, and the bias
/// is 0 (Stiennon et al. 2020, arXiv:2009.01325, appendix B).
void initialise_head(const ValueModel& model, Random& random);

}  // namespace cria
