// Chapter 11: training a model, whatever a step does: what learns, its checkpoints, its folder. A kind of training adds
// the steps: pretraining.hpp, and those of the chapters that follow.
#pragma once

#include <functional>
#include <string>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/11-pretraining/checkpoint.hpp"
#include "chapters/11-pretraining/model_folder.hpp"
#include "chapters/11-pretraining/recipe_keys.hpp"

namespace cria {

/// A model in training. All that it refers to must outlive what is made of it.
struct TrainedModel {
  using Folder = std::filesystem::path;

  const LlamaConfig& config;
  Trainable trainable;                                          // what of it learns
  std::function<void(const Folder& folder)> write_description;  // what does not change in the run, into the folder
  /// And what is learned: `all` is the trainable's parameters, or of a divided model those of all ranks.
  std::function<void(const Folder& folder, const ParameterSet& all)> write_weights;
};

/// All parameters of a language model learn, and the folder becomes one of Hugging Face's. `trainable` is all of it, or
/// this process's part of a model that is divided.
TrainedModel whole_model(const ModelConfig& config, const Trainable& trainable, const Tokenizer& tokenizer);

class ModelTraining : public Trainee {
 public:
  /// `own_keys` are those that the recipe has for this kind of training alone.
  ModelTraining(TrainedModel model, const Recipe& recipe, ThreadPool& pool, RecipeKeys own_keys = {},
                Peers* peers = nullptr);

  /// How many numbers learn.
  size_t learned() const { return model_.trainable.parameters.flat().size(); }

  /// With peers, of a new run: they begin with these weights, or their parts of them.
  void share_start(const ParameterSet& all) { trainer_.deal(Held::weights, all, 0); }

  /// Goes on from the folder's checkpoint, bit for bit. Throws UserError when the file is damaged, or when the data is
  /// not what that run was trained on.
  void restore(const RunFolder& folder, const TrainingState& state);

  bool is_finite() override;
  std::string remedy() const override;
  double tokens_per_step() const override;
  void write_description(const std::filesystem::path& folder) override;
  void write_checkpoint(const std::filesystem::path& file, const TrainingState& state) override;
  void write_weights(const std::filesystem::path& folder) override;

 protected:
  /// What the next step depends on besides parameters and moments: puts it into a checkpoint's state, and takes it from
  /// there.
  virtual void keep_place(TrainingState& state) const = 0;
  virtual void find_place(const TrainingState& state) = 0;

  /// Throws UserError that `what` has changed, where the run began with another fingerprint.
  static void require_unchanged(const TrainingState& state, std::uint64_t fingerprint, const char* what);

  /// All that learns, the model first.
  virtual std::vector<LearnedSet> learned_sets();

  /// The recipe's, at this share of the run.
  double rate_at(double share) const;

  const TrainedModel& model() const { return model_; }
  const Recipe& recipe() const { return recipe_; }
  Trainer& trainer() { return trainer_; }
  const Trainer& trainer() const { return trainer_; }
  ThreadPool& pool() const { return pool_; }

 private:
  /// Does something with all parameters: this process's own, or those that are gathered from a divided model's ranks.
  template <class Work>
  auto with_all(Work&& work) {
    if (!trainer_.peers() || !trainer_.peers()->whole_layout()) return work(model_.trainable.parameters);
    const ParameterSet room(trainer_.whole_layout());
    trainer_.gather(Held::weights, room);
    return work(room);
  }

  TrainedModel model_;
  const Recipe& recipe_;
  RecipeKeys own_keys_;
  ThreadPool& pool_;
  Trainer trainer_;
};

}  // namespace cria
