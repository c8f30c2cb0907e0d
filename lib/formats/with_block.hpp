// From a block type's name to its struct.
#pragma once

#include "lib/formats/blocks.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {

/// Calls use.template operator()<Block>() where the type stores its numbers in blocks. Returns whether it does.
template <class Use>
bool with_block(ElementType type, Use use) {
  const auto with = [&]<class Block>() {
    use.template operator()<Block>();
    return true;
  };
  switch (type) {
    case ElementType::q4_0:
      return with.template operator()<BlockQ4_0>();
    case ElementType::q4_1:
      return with.template operator()<BlockQ4_1>();
    case ElementType::q5_0:
      return with.template operator()<BlockQ5_0>();
    case ElementType::q5_1:
      return with.template operator()<BlockQ5_1>();
    case ElementType::q8_0:
      return with.template operator()<BlockQ8_0>();
    case ElementType::q2_k:
      return with.template operator()<BlockQ2K>();
    case ElementType::q3_k:
      return with.template operator()<BlockQ3K>();
    case ElementType::q4_k:
      return with.template operator()<BlockQ4K>();
    case ElementType::q5_k:
      return with.template operator()<BlockQ5K>();
    case ElementType::q6_k:
      return with.template operator()<BlockQ6K>();
    case ElementType::iq4_nl:
      return with.template operator()<BlockIQ4NL>();
    case ElementType::iq4_xs:
      return with.template operator()<BlockIQ4XS>();
    default:
      return false;
  }
}

}  // namespace cria
