// cria finetune
#pragma once

#include "app/train/train.hpp"

namespace cria {

/// `from` is the model to begin with; empty: the small one that comes with cria.
struct FinetuneOptions : TrainOptions {
  std::string method = "sft";
  std::string reward;  // the folder of a reward model to learn from; empty: the exact judge
};

/// Returns the exit code. Throws UserError for bad options and files.
int run_finetune(const FinetuneOptions& options);
/// The same, for commands that go on with the model.
TrainResult finetune(const FinetuneOptions& options);

}  // namespace cria
