#include "chapters/12-open-weights/quantised_weights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chapters/12-open-weights/packed_codes.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;
using Format = Quantisation::Format;

enum class Contents { codes, numbers, indices };

bool holds(ElementType type, Contents contents) {
  if (contents == Contents::numbers) return is_floating(type);
  return type == ElementType::i32 || (contents == Contents::indices && type == ElementType::i64);
}

/// A tensor of a linear: ".qweight", …
struct Part {
  std::string name;
  std::vector<size_t> shape;
  Contents contents;
};

std::vector<Part> parts_of(const Quantisation& q, size_t M, size_t K) {
  const size_t G = q.groups(K);
  const auto words = [&](size_t codes) { return packed_words(codes, q.bits); };
  std::vector<Part> parts;
  switch (q.format) {
    case Format::gptq:
      parts = {{".qweight", {words(K), M}, Contents::codes}, {".qzeros", {G, words(M)}, Contents::codes}};
      break;
    case Format::awq:
      parts = {{".qweight", {K, words(M)}, Contents::codes}, {".qzeros", {G, words(M)}, Contents::codes}};
      break;
    case Format::compressed_tensors:
      parts = {{".weight_packed", {M, words(K)}, Contents::codes},
               {".weight_scale", {M, G}, Contents::numbers},
               {".weight_shape", {2}, Contents::indices}};
      if (!q.symmetric) parts.push_back({".weight_zero_point", {words(M), G}, Contents::codes});
      if (q.act_order) parts.push_back({".weight_g_idx", {K}, Contents::indices});
      return parts;
  }
  parts.push_back({".scales", {G, M}, Contents::numbers});
  if (q.format == Format::gptq) parts.push_back({".g_idx", {K}, Contents::indices});
  return parts;
}

/// "model.layers.0.mlp.up_proj" of the name that has ".weight" at its end.
std::string linear_of(const std::string& name) { return name.substr(0, name.rfind('.')); }

std::vector<double> numbers_of(const StoredTensor& tensor) {
  std::vector<double> numbers(tensor.bytes.size() / element_size(tensor.type));
  convert_elements(tensor.type, tensor.bytes.data(), std::span(numbers));
  return numbers;
}

/// weight(o, i) = scale(o, g) (code(o, i) - zero point(o, g)), g the group of input i.
template <class CodeAt>
void dequantise(const Array<real, 2>& scales, const Array<real, 2>& zeros, const std::vector<size_t>& group_of,
                CodeAt&& code_at, View<real, 2> weight) {
  // Codes lie along the one axis or the other. In a tile, both they and the weights stay in the cache.
  constexpr size_t tile = 32;
  for (size_t first_o = 0; first_o < weight.shape(0); first_o += tile)
    for (size_t first_i = 0; first_i < weight.shape(1); first_i += tile)
      for (size_t o = first_o; o < std::min(first_o + tile, weight.shape(0)); ++o)
        for (size_t i = first_i; i < std::min(first_i + tile, weight.shape(1)); ++i) {
          const size_t g = group_of[i];
          weight(o, i) = scales(o, g) * (real(code_at(o, i)) - zeros(o, g));
        }
}

}  // namespace

QuantisedWeights::QuantisedWeights(const fs::path& folder, Quantisation quantisation)
    : StoredWeights(fs::exists(folder / (quantisation.file + ".safetensors"))
                        ? folder / (quantisation.file + ".safetensors")
                        : folder),
      quantisation_(std::move(quantisation)) {}

bool QuantisedWeights::is_quantised(const std::string& name, std::span<const size_t> shape) const {
  const std::string linear = linear_of(name);
  return shape.size() == 2 && linear != "model.embed_tokens" && !find(name) &&
         !quantisation_.not_quantised.contains(linear);
}

std::vector<std::string> QuantisedWeights::parts(const std::string& name, std::span<const size_t> shape) const {
  if (!is_quantised(name, shape)) return StoredWeights::parts(name, shape);
  const std::string linear = linear_of(name);
  std::vector<std::string> names;
  for (const Part& part : parts_of(quantisation_, shape[0], shape[1])) {
    const std::string tensor = linear + part.name;
    // Files from before there was act-order have no g_idx.
    if (part.name == ".g_idx" && !quantisation_.act_order && !find(tensor)) continue;
    if (const ElementType type = find(tensor, part.shape).type; !holds(type, part.contents))
      fail(fmt::format("tensor {} has type {}, expected {}", in_quotes(tensor), type_layout(type).name,
                       part.contents == Contents::numbers ? "numbers with a fraction, such as F16" : "I32"));
    names.push_back(tensor);
  }
  if (const StoredTensor* said = find(linear + ".weight_shape");
      said && !std::ranges::equal(numbers_of(*said), std::vector<double>{double(shape[0]), double(shape[1])}))
    fail(fmt::format("tensor {} is not {}, which config.json asks for", in_quotes(said->name), shape_text(shape)));
  if (const std::string bias = linear + ".bias"; quantisation_.format == Format::gptq && find(bias)) {
    require_no_bias(bias, shape[0]);
    names.push_back(bias);
  }
  return names;
}

// AutoGPTQ stores a bias for every linear, of zeros where the model has none.
void QuantisedWeights::require_no_bias(const std::string& bias, size_t outputs) const {
  const StoredTensor& tensor = find(bias, std::vector<size_t>{outputs});
  if (!std::ranges::all_of(numbers_of(tensor), [](double value) { return value == 0; }))
    fail(fmt::format("tensor {} is not zero: biases are not supported", in_quotes(bias)));
}

Array<real, 2> QuantisedWeights::scales(const std::string& linear, size_t outputs, size_t groups) const {
  Array<real, 2> scales(Shape<2>{outputs, groups});
  if (quantisation_.format == Format::compressed_tensors) {
    StoredWeights::read(linear + ".weight_scale", view(scales).shape(), view(scales).span());
    return scales;
  }
  Array<real, 2> stored(Shape<2>{groups, outputs});
  StoredWeights::read(linear + ".scales", view(stored).shape(), view(stored).span());
  noalias(view(scales)) = transposed(view(stored));
  return scales;
}

std::vector<size_t> QuantisedWeights::groups_of_inputs(const std::string& linear, size_t inputs) const {
  const bool gptq = quantisation_.format == Format::gptq;
  std::vector<size_t> groups(inputs);
  for (size_t i = 0; i < inputs; ++i) groups[i] = quantisation_.group_size == 0 ? 0 : i / quantisation_.group_size;
  const StoredTensor* stored = find(linear + (gptq ? ".g_idx" : ".weight_g_idx"));
  if (!stored) return groups;
  const std::vector<double> indices = numbers_of(*stored);
  for (size_t i = 0; i < inputs; ++i) {
    if (indices[i] < 0 || indices[i] >= double(quantisation_.groups(inputs)))
      fail(fmt::format("tensor {} has {} at {}, but there are {} groups", in_quotes(stored->name), indices[i], i,
                       quantisation_.groups(inputs)));
    if (!quantisation_.act_order && indices[i] != double(groups[i]))
      fail(fmt::format("tensor {} has {} at {}, expected {} as desc_act is false", in_quotes(stored->name), indices[i],
                       i, groups[i]));
    groups[i] = size_t(indices[i]);
  }
  return groups;
}

/// (M, G), from the code of output o in group g.
template <class CodeAt>
Array<real, 2> QuantisedWeights::zero_points(const std::string& linear, const Shape<2>& shape, CodeAt&& code_at) const {
  Array<real, 2> zeros(shape);
  const std::uint32_t codes = 1u << quantisation_.bits;
  for (size_t o = 0; o < shape[0]; ++o)
    for (size_t g = 0; g < shape[1]; ++g) {
      const std::uint32_t zero = code_at(o, g) + std::uint32_t(quantisation_.zero_offset);
      if (zero == codes)  // 0 less one: some readers take it for 0, some for this
        fail(fmt::format("tensor \"{}.qzeros\" has a zero point of {}, which readers take for {} or 0", linear,
                         codes - 1, codes));
      if (quantisation_.symmetric && zero != codes / 2)
        fail(
            fmt::format("tensor \"{}.qzeros\" has a zero point of {}, but sym asks for {}: is checkpoint_format right?",
                        linear, zero, codes / 2));
      zeros(o, g) = real(zero);
    }
  return zeros;
}

/// Calls use(code of output o and input i, code of the zero point of output o in group g), each of them a function.
template <class Use>
void QuantisedWeights::with_codes(const std::string& linear, Use&& use) const {
  const auto packed = [&](const char* name) { return PackedCodes(*find(linear + name), quantisation_.bits); };
  switch (quantisation_.format) {
    case Format::gptq: {
      const PackedCodes codes = packed(".qweight"), zeros = packed(".qzeros");
      return use([&](size_t o, size_t i) { return codes.down(o, i); },
                 [&](size_t o, size_t g) { return zeros.along(g, o); });
    }
    case Format::awq: {
      const PackedCodes codes = packed(".qweight"), zeros = packed(".qzeros");
      return use([&](size_t o, size_t i) { return codes.along(i, awq_place(o)); },
                 [&](size_t o, size_t g) { return zeros.along(g, awq_place(o)); });
    }
    case Format::compressed_tensors: {
      const PackedCodes codes = packed(".weight_packed");
      const auto code = [&](size_t o, size_t i) { return codes.along(o, i); };
      if (quantisation_.symmetric) return use(code, [](size_t, size_t) { return 8u; });
      const PackedCodes zeros = packed(".weight_zero_point");
      return use(code, [&](size_t o, size_t g) { return zeros.down(g, o); });
    }
  }
}

void QuantisedWeights::read(const std::string& name, std::span<const size_t> shape, std::span<real> values) const {
  if (!is_quantised(name, shape)) return StoredWeights::read(name, shape, values);
  const std::string linear = linear_of(name);
  const Shape<2> scaling{shape[0], quantisation_.groups(shape[1])};
  const Array<real, 2> scale = scales(linear, scaling[0], scaling[1]);
  const std::vector<size_t> group_of = groups_of_inputs(linear, shape[1]);
  with_codes(linear, [&](auto code_at, auto zero_at) {
    dequantise(scale, zero_points(linear, scaling, zero_at), group_of, code_at, {values, {shape[0], shape[1]}});
  });
  for (const std::string& part : parts(name, shape)) file_of(part).release(*find(part));
}

Model load_folder(const fs::path& folder) {
  if (!fs::exists(folder / "config.json")) return load_model(folder);  // which says what was expected
  const FolderConfig config = read_folder_config(folder);
  if (!config.quantisation) return load_model(folder, config.model, StoredWeights(folder));
  return load_model(folder, config.model, QuantisedWeights(folder, *config.quantisation));
}

}  // namespace cria
