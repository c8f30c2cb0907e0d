// Tokenizer files of every kind, told apart by what is in them.
#pragma once

#include <filesystem>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/11-pretraining/model_config.hpp"

namespace cria {

/// A tokenizer.json or a folder with one, a SentencePiece model, Llama 3's rank file, llama2.c's tokenizer.bin, or a
/// GGUF file. Throws UserError with the reason when it is none of these.
Tokenizer open_tokenizer(const std::filesystem::path& path);

/// Takes the tokens that begin and end a text from their names in the vocabulary, where a model's files do not say:
/// "<s>" and "</s>", or Llama 3's.
void set_ends(const Tokenizer& tokenizer, ModelConfig& config);

}  // namespace cria
