// A checkpoint: all that a killed run needs to go on as if nothing had happened, in one file that is written whole or
// not at all. The model's folder is written beside it, for everybody who only wants the model.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/11-pretraining/run.hpp"

namespace cria {

/// Parameters that learn, and their optimiser. A run may train several sets, each under a name; the first needs none.
/// All optimisers have done as many steps: the state's, or its updates.
struct LearnedSet {
  const ParameterSet& parameters;
  AdamW& optimiser;
  std::string name = {};
};

/// Writes weights, AdamW's two moments and the state, with a checksum over all of it.
void write_checkpoint(const std::filesystem::path& file, const TrainingState& state, std::span<const LearnedSet> sets);

inline void write_checkpoint(const std::filesystem::path& file, const TrainingState& state, const ParameterSet& weights,
                             AdamW& optimiser) {
  const LearnedSet sets[] = {{weights, optimiser}};
  write_checkpoint(file, state, sets);
}

/// The same where peers have parts of the numbers: of one kind after the other `fetch` puts all into the room, twice of
/// each, and what is in it is written. So they are never there together.
using MoveHeld = std::function<void(Held what)>;
void write_checkpoint(const std::filesystem::path& file, const TrainingState& state, const ParameterSet& room,
                      const MoveHeld& fetch);

/// Only the state: what a run must know before it can make its model. Throws UserError for a file that is no
/// checkpoint, and for values that no run writes. The checksum is looked at by read_checkpoint.
TrainingState read_training_state(const std::filesystem::path& file);

/// Weights and moments, bit for bit. Throws UserError when the file belongs to another model, or when any bit in it is
/// not as it was written. Checkpoints of before there were checksums are read without.
void read_checkpoint(const std::filesystem::path& file, std::span<const LearnedSet> sets);
inline void read_checkpoint(const std::filesystem::path& file, const ParameterSet& weights, AdamW& optimiser) {
  const LearnedSet sets[] = {{weights, optimiser}};
  read_checkpoint(file, sets);
}

/// One kind after the other is read into the room, and `take` called for it.
void read_checkpoint(const std::filesystem::path& file, const ParameterSet& room, const MoveHeld& take);

}  // namespace cria
