// A checkpoint: all that a killed run needs to go on as if nothing had happened, in one file that is written whole or
// not at all. The model's folder is written beside it, for everybody who only wants the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "chapters/10-training-step/trainer.hpp"

namespace cria {

struct TrainingState {
  size_t step = 0;             // steps done
  double seconds = 0;          // spent on them, validation included
  std::uint64_t position = 0;  // the batch source's state
  std::string data;            // what is trained on: "stories" or the file's path
  std::uint64_t seed = 0;
  std::string recipe;  // as YAML
  // Checkpoints from before these were kept lack them. Where the run was to end is in one or the other.
  std::optional<size_t> goal_steps = {};
  std::optional<double> goal_minutes = {};
  std::optional<std::uint64_t> fingerprint = {};  // of the data
};

inline constexpr const char* checkpoint_file = "training.safetensors";

/// Writes weights, AdamW's two moments and the state.
void write_checkpoint(const std::filesystem::path& file, const TrainingState& state, const LlamaParameters& weights,
                      const AdamW& optimiser);

/// Only the state: what a run must know before it can make its model.
TrainingState read_training_state(const std::filesystem::path& file);

/// Weights and moments, bit for bit. Throws UserError when the file is damaged or belongs to another model.
void read_checkpoint(const std::filesystem::path& file, const LlamaParameters& weights, AdamW& optimiser);

}  // namespace cria
