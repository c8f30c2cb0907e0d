#include "app/run/cache_type.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {

CacheType read_cache_type(const std::string& name, const LlamaConfig& config) {
  for (const CacheType type : {CacheType::f32, CacheType::f16, CacheType::q8_0}) {
    if (name != name_of(type)) continue;
    if (config.head_dim % block_size(type) != 0)
      throw UserError(
          fmt::format("--cache-type is {}, which needs heads of a multiple of {}, and the model's are {} wide", name,
                      block_size(type), config.head_dim));
    return type;
  }
  throw UserError(fmt::format("--cache-type is {}, expected f32, f16 or q8_0", in_quotes(name)));
}

}  // namespace cria
