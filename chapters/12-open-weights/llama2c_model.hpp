// Models of llama2.c (Karpathy 2023): one file of numbers, in the order of its export.py.
#pragma once

#include <filesystem>

#include "chapters/11-pretraining/model_folder.hpp"

namespace cria {

/// Versions 0 (without a mark; stories260K.bin) and 1 of export.py, both in F32. The tokenizer is the one given, else
/// tokenizer.bin or tokenizer.model beside the file, else none. Throws UserError when the sizes in the header do not
/// give exactly the file's size.
Model load_llama2c(const std::filesystem::path& path, const std::filesystem::path& tokenizer = {});

/// What its header says, without reading more.
LlamaConfig llama2c_config(const std::filesystem::path& path);

/// Whether the file begins with the mark of version 1 and later, or with sizes that a Llama may have.
bool is_llama2c(const std::filesystem::path& path);

}  // namespace cria
