// A tokenizer on its way into a GGUF file's metadata.
#pragma once

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/11-pretraining/model_config.hpp"
#include "lib/formats/gguf_write.hpp"

namespace cria {

/// The keys tokenizer.ggml.…, with as many tokens as the embedding has rows, which llama.cpp wants, and the tokens that
/// begin and end a text. Throws UserError for a tokenizer that would give other ids in GGUF.
void add_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config, GgufMetadata& out);

}  // namespace cria
