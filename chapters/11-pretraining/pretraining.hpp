// Chapter 11: the training run, from a corpus to a model's folder.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>

#include "chapters/11-pretraining/checkpoint.hpp"
#include "chapters/11-pretraining/corpus.hpp"
#include "chapters/11-pretraining/model_folder.hpp"

namespace cria {

struct RunOptions {
  std::filesystem::path folder;             // where the model and its checkpoints go
  std::optional<size_t> steps = {};         // the run ends after so many steps,
  std::optional<double> minutes = {};       // or after so much time; the learning rate follows whichever is given
  const std::atomic<bool>* stop = nullptr;  // set from outside: the run writes a checkpoint and ends
};

/// What a run says after each step.
struct Progress {
  size_t step = 0;
  double seconds = 0;                     // since the run began, those before a resume included
  double share = 0;                       // of the run that is done, 0 to 1
  double loss = 0;                        // the batch's mean, in nats per token
  std::optional<double> validation_loss;  // at the steps that validate
  double bits_per_byte = 0;               // of the held-out text where it was just measured, else of the batch
  std::optional<double> floor;            // in bits per byte, where it is known
  double tokens_per_second = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
};
using Observer = std::function<void(const Progress&)>;

/// Trains until the end of the run, a new one for at least one step, validating and writing model and checkpoint at the
/// recipe's intervals and at the end. With a state, goes on from the folder's checkpoint, bit for bit. Throws UserError
/// when the loss is no longer finite (the last checkpoint stays) or when a file cannot be written (the old one stays).
Progress pretrain(const LlamaParameters& weights, const Tokenizer& tokenizer, Corpus& corpus, const Recipe& recipe,
                  TrainingState state, const RunOptions& options, ThreadPool& pool, const Observer& observer);

}  // namespace cria
