// cria sample --count, --prompts: many texts side by side.
#pragma once

#include <span>

#include "app/run/sample.hpp"
#include "lib/tensor/stored_heads.hpp"

namespace cria {

/// Prints options.count texts of each prompt, one a line, in order. Throws UserError for options that do not go
/// together.
int sample_many(const SampleOptions& options, const ModelView& model, std::span<const TokenId> ends,
                const GenerationOptions& generation, const Constraints& constraints, CacheType cache_type);

}  // namespace cria
