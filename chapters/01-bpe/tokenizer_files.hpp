// Tokenizer files: Hugging Face tokenizer.json (read and written) and tiktoken rank files (read).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/01-bpe/tokenizer.hpp"

namespace cria {

/// The model in a tokenizer.json, or in a folder that holds one. Throws UserError with the reason for a file that is
/// damaged or needs what Tokenizer does not do (other normalisers, split patterns and decoders). Added tokens are found
/// in the text as it stands, those that a file calls "normalized" too. Its truncation and padding are for batches, and are
/// not done: transformers does them only where it is asked to.
BpeModel load_tokenizer_json(const std::filesystem::path& file_or_folder);

/// The text of a tokenizer.json that Hugging Face tokenizers and transformers load as it is. Throws UserError for a
/// special token that cannot be told from another token there. Of SentencePiece's scores only the order remains, and a
/// blank is put behind special tokens as well as in front of a text: there is no form that does just the latter.
std::string tokenizer_json(const BpeModel& model);

/// Writes tokenizer.json and tokenizer_config.json into the folder, which is created if needed.
void save_tokenizer(const BpeModel& model, const std::filesystem::path& folder);

/// A rank file as tiktoken and Meta's Llama 3 have it: a token in base64 and its rank on each line. The file has no
/// special tokens; those given follow its vocabulary. Throws UserError naming the first line that is wrong.
BpeModel load_tiktoken(const std::filesystem::path& file, const std::vector<std::string>& special_tokens);

/// Llama 3.1's 256 special tokens, in the order of their ids 128000 … 128255.
std::vector<std::string> llama3_special_tokens();

/// Any of them: a folder with a tokenizer.json or tokenizer.model, a .json, llama2.c's .bin, or a tokenizer.model,
/// which is SentencePiece's or Llama 3's rank file by what is in it.
Tokenizer load_tokenizer(const std::filesystem::path& path);

}  // namespace cria
