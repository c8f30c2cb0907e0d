// cria plan --measure: what ranks that share a batch or a model send, and how long it takes, beside what was predicted.
#pragma once

#include <functional>

#include "chapters/10-training-step/trainer.hpp"

namespace cria {

/// Throws UserError where the ranks that were started, `--measure` and the options beside it do not fit each other;
/// `planned` says that some are given that are for planning only.
void check_measuring(bool measure, bool planned);

/// What is measured: a model with drawn weights, and its training steps.
struct MeasuredModel {
  LlamaConfig config;
  TrainerOptions training;
};

/// On ranks that mpirun started, with one thread each: measures their network and one process, predicts from it what
/// `plan --machines` does, runs each way of sharing, and prints both. All call it, and `read` on each. Throws UserError
/// on all of them for what one of them throws, too little memory, or a model that is another one than rank 0's.
void measure_divided(const std::function<MeasuredModel()>& read, bool json);

}  // namespace cria
