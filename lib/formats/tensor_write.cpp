#include "lib/formats/tensor_write.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/check.hpp"
#include "lib/formats/encode.hpp"

namespace cria {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// The smallest magnitude that would round to infinity, as a number of the type or as a block's scale or minimum.
double limit_of(ElementType type) {
  constexpr double half = 65520;  // between 65504, the largest, and what would be the next
  switch (type) {
    case ElementType::f32:
      return sizeof(real) == 4 ? infinite : 0x1.ffffffp127;
    case ElementType::f16:
      return half;
    case ElementType::bf16:
      return 0x1.ffp127;
    case ElementType::q4_1:
    case ElementType::q5_1:
      return half;
    case ElementType::q4_0:
      return half * 8;
    case ElementType::q5_0:
      return half * 16;
    case ElementType::q8_0:
    case ElementType::iq4_nl:
      return half * 127;
    case ElementType::q2_k:
      return half * 15;
    case ElementType::q3_k:
      return half * 32 * 4;
    case ElementType::q4_k:
    case ElementType::q5_k:
      return half * 63;
    case ElementType::q6_k:
      return half * 128 * 32;
    case ElementType::iq4_xs:
      return half * 32 * 127;
    default:
      return infinite;
  }
}

}  // namespace

void require_in_range(std::string_view name, ElementType type, std::span<const real> values) {
  const double limit = limit_of(type);
  const bool is_block = type_layout(type).numbers > 1;
  if (!is_block && limit == infinite) return;
  const auto is_outside = [&](real value) {
    return !(std::abs(double(value)) < limit) && (is_block || std::isfinite(value));
  };
  if (const auto found = std::ranges::find_if(values, is_outside); found != values.end())
    throw UserError(
        fmt::format("tensor \"{}\" holds {}, which cannot be written as {}", name, *found, type_layout(type).name));
}

size_t written_bytes(const TensorToWrite& tensor) {
  const TypeLayout layout = type_layout(tensor.type);
  const auto bytes = tensor_bytes(tensor.shape, tensor.type);
  require(bytes && (tensor.make || *bytes == tensor.values.size() / layout.numbers * layout.bytes), tensor.name.c_str(),
          "the shape fits neither the values nor the type");
  return *bytes;
}

void write_values(const TensorToWrite& tensor, const WriteBytes& write) {
  constexpr size_t piece_size = 65536;  // whole blocks of every type
  const size_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
  const size_t step = tensor.encode ? std::max<size_t>(1, piece_size / row) * row : piece_size;
  const std::span<const real> values = tensor.make ? tensor.make() : tensor.values;
  require(values.size() / type_layout(tensor.type).numbers * element_size(tensor.type) == written_bytes(tensor),
          tensor.name.c_str(), "what was made does not fit the shape");
  std::string piece;
  for (auto rest = values; !rest.empty(); rest = rest.subspan(std::min(step, rest.size()))) {
    const auto next = rest.first(std::min(step, rest.size()));
    require_in_range(tensor.name, tensor.type, next);
    piece.clear();
    if (tensor.encode)
      tensor.encode(tensor, next, piece);
    else
      encode_elements(tensor.type, next, piece);
    write(piece);
  }
}

}  // namespace cria
