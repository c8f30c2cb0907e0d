// Chapter 14: a model in training that is spoken to in a chat format.
#pragma once

#include "chapters/11-pretraining/model_training.hpp"
#include "chapters/14-sft/instruction_encoder.hpp"

namespace cria {

/// The same, whose folder gets the format too, so that `chat` speaks to the model as it was trained. The encoder must
/// outlive it.
TrainedModel with_format(TrainedModel model, const InstructionEncoder& encoder);

}  // namespace cria
