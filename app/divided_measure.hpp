// cria plan --measure: what ranks that share a batch or a model send, and how long it takes, beside what was predicted.
#pragma once

#include <functional>

#include "chapters/10-training-step/trainer.hpp"

namespace cria {

/// Throws UserError where the ranks that were started, `--measure` and the options beside it do not fit each other;
/// `planned` says that some are given that are for planning only.
void check_measuring(bool measure, bool planned);

/// On ranks that mpirun started, with one thread each: measures their network and one process, predicts from it what
/// `plan --machines` does, runs each way of sharing, and prints both. `read` finds out of what model; its weights are
/// drawn. Throws UserError on all ranks where it does on one, for too little memory, and for ranks that plan otherwise
/// than rank 0.
struct MeasuredModel {
  LlamaConfig config;
  TrainerOptions training;
};
void measure_divided(const std::function<MeasuredModel()>& read, bool json);

}  // namespace cria
