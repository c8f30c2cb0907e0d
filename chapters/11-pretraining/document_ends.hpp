// The special tokens between which a document stands.
#pragma once

#include <filesystem>
#include <optional>

#include "chapters/01-bpe/tokenizer.hpp"

namespace cria {

struct DocumentEnds {
  std::optional<TokenId> begin, end;
};

/// Those that the tokenizer's own files name, where it comes from a file or folder: bos_token and eos_token of the
/// tokenizer_config.json there. Else <|begin_of_text|> and <|end_of_text|>. Where there is only one of both, it stands
/// on both sides, as <|endoftext|> does in GPT-2.
DocumentEnds document_ends(const Tokenizer& tokenizer, const std::filesystem::path& from = {});

}  // namespace cria
