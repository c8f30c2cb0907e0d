// Writes a Llama as a GGUF file that llama.cpp loads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/formats/gguf.hpp"
#include "lib/formats/tensor_write.hpp"

namespace cria {

/// How matrices become blocks where encode_elements cannot make them, or not well enough, and llama.cpp's number for a
/// file with such a mixture of types (general.file_type).
struct GgufBlocks {
  std::uint32_t file_type;
  EncodeRows encode;
};

/// Each parameter as its type in `types` (written_types.hpp), with the rows of query and key turned to GGUF's pairs
/// (2i, 2i + 1). `from`, where the model was read from such a file, gives all metadata that the tensors do not decide;
/// otherwise `chat_template` is that of the model. `blocks` makes all blocks where it is given. Throws UserError for a
/// tokenizer that GGUF cannot hold, a number that its type cannot, or a file that cannot be written.
void save_gguf(const std::filesystem::path& path, const Model& model, const StoredTypes& types,
               const GgufFile* from = nullptr, const std::optional<std::string>& chat_template = {},
               const std::optional<GgufBlocks>& blocks = {});

}  // namespace cria
