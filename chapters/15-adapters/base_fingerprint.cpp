#include "chapters/15-adapters/base_fingerprint.hpp"

#include "lib/base/fingerprint.hpp"

namespace cria {
namespace {

std::uint64_t with(const void* bytes, size_t count, std::uint64_t before) {
  return bulk_fingerprint({static_cast<const char*>(bytes), count}, before);
}

std::uint64_t with(View<const real, 1> numbers, std::uint64_t before) {
  return with(numbers.data(), numbers.size() * sizeof(real), before);
}

// Of packed weights the bytes: what they stand for is rounded as the compiler pleases, where it is scale code +
// minimum.
std::uint64_t with(const Weight& weight, std::uint64_t before) {
  const simd::PackedRows& packed = weight.packed();
  if (weight.is_packed())
    return with(packed.data, simd::packed_bytes(packed.type, packed.rows, packed.columns), before);
  return with(weight.numbers().data(), weight.numbers().span().size_bytes(), before);
}

}  // namespace

std::uint64_t base_fingerprint(const LlamaWeights& weights, std::uint64_t before) {
  for_each_parameter(weights.config, weights.tensors,
                     [&](const std::string&, const auto&, const auto& tensor) { before = with(tensor, before); });
  return before;
}

}  // namespace cria
