// Importance matrices as files, for and from llama.cpp (its tools/imatrix).
//
// The form of today is GGUF: general.type is "imatrix", and of each matrix there are the tensors NAME.in_sum2, the sums
// of squares, and NAME.counts, how many rows were added up. The older form, usually called .dat, has them one after the
// other without names for the parts.
#pragma once

#include <filesystem>

#include "chapters/13-quantisation/importance.hpp"

namespace cria {

/// As GGUF; the file appears whole or not at all.
void write_importance(const std::filesystem::path& path, const Importance& importance);

/// Of either form. Throws UserError, one line with the file and what was expected, for anything else: other tensors,
/// sums that are negative or not finite, parts that are missing, mixtures of experts.
Importance read_importance(const std::filesystem::path& path);

/// Throws UserError where it has no matrix of the model, or one with another number of columns.
void require_importance_of(const LlamaParameters& weights, const Importance& importance,
                           const std::filesystem::path& path);

}  // namespace cria
