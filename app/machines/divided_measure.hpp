// cria plan --measure: what ranks that share a batch or a model send, and how long it takes, beside what was predicted.
#pragma once

#include "chapters/10-training-step/trainer.hpp"

namespace cria {

/// Throws UserError where the ranks that were started, `--measure` and the options beside it do not fit each other;
/// `planned` says that some are given that are for planning only.
void check_measuring(bool measure, bool planned);

/// On ranks that mpirun started, with one thread each: measures their network and one process, predicts from it what
/// `plan --machines` does, runs each way of sharing, and prints both. The weights are drawn. Throws UserError for too
/// little memory.
void measure_divided(const LlamaConfig& config, const TrainerOptions& training, bool json);

}  // namespace cria
