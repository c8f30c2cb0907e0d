// From conversations, or from the built-in requests, to training batches and held-out batches.
#pragma once

#include "chapters/11-pretraining/corpus.hpp"
#include "chapters/14-sft/instruction_encoder.hpp"

namespace cria {

/// "requests" for stories on request, each with an exact floor; held out are requests for combinations of slots that
/// training leaves out. Otherwise examples of files, of which the last ones are held out (recipe.validation). Documents
/// are packed into windows where none sees another. The encoder must outlive the corpus. Throws UserError for data that
/// cannot be read, for an example that the context has no room for, and when nothing is left to train on.
Corpus open_instruction_corpus(const Data& data, const InstructionEncoder& encode, const Recipe& recipe);

}  // namespace cria
