// --cache-type: in which numbers a decoder keeps keys and values.
#pragma once

#include <string>

#include "chapters/08-llama/config.hpp"
#include "lib/tensor/stored_heads.hpp"

namespace cria {

inline constexpr auto cache_type_help = "Keep keys and values as f32, f16 (half the memory) or q8_0 (about a quarter)";

/// The type of that name, for a model of that shape. Throws UserError for another name, and for q8_0 where a head is no
/// whole number of its blocks.
CacheType read_cache_type(const std::string& name, const LlamaConfig& config);

}  // namespace cria
