// Writes a Llama as a GGUF file that llama.cpp loads.
#pragma once

#include <filesystem>

#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/formats/gguf.hpp"

namespace cria {

/// Matrices are written as `type`, F32, F16, BF16, Q8_0 or Q4_0, norms as F32. A matrix whose rows are no whole number
/// of blocks is written as F16. The rows of query and key are turned to GGUF's pairs (2i, 2i + 1). `from`, where the
/// model was read from such a file, gives all metadata that the weights do not decide. Throws UserError for a type or
/// tokenizer that cannot be written, or a file that cannot.
void save_gguf(const std::filesystem::path& path, const Model& model, ElementType type, const GgufFile* from = nullptr);

}  // namespace cria
