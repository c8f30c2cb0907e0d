#include "chapters/13-quantisation/half_scale.hpp"

#include <algorithm>

#include "lib/formats/element_type.hpp"
#include "lib/formats/encode.hpp"

namespace cria {

HalfScale::HalfScale(float scale) {
  // solution: half_scale
  bits = float_to_half(std::clamp(scale, -65504.0f, 65504.0f));
  value = half_to_float(bits);
  // end of solution
}

}  // namespace cria
