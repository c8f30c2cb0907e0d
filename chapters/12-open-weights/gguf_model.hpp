// A Llama in a GGUF file: what its keys mean, and its tensors in cria's layout.
#pragma once

#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/formats/gguf.hpp"

namespace cria {

/// The numbers of the model, after a check that the file has all of its tensors and no other. Throws UserError naming
/// the key or tensor for anything that is missing, of another type or shape, or that changes what is computed and is
/// not understood.
ModelConfig gguf_config(const GgufFile& file);

/// Reads every parameter, and turns the rows of query and key from GGUF's pairs (2i, 2i + 1) to (i, i + Dh/2). The
/// weights are those of the file's own config.
void read_gguf_weights(const GgufFile& file, const LlamaParameters& weights);

/// The vocabulary in the metadata; null where there is none. Throws UserError for a kind that is not known.
std::unique_ptr<Tokenizer> gguf_tokenizer(const GgufFile& file);

/// All of it.
Model load_gguf(const std::filesystem::path& path);

}  // namespace cria
