#include "chapters/12-open-weights/written_types.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/formats/encode.hpp"

namespace cria {
namespace {

bool has(ModelForm form, ElementType type) {
  const bool is_block = type_layout(type).numbers > 1;
  return can_encode(type) && type != ElementType::f64 && (form == ModelForm::gguf || !is_block);
}

ElementType type_of(const StoredTypes& types, const std::string& name) {
  const auto found = types.find(name);
  return found == types.end() ? ElementType::f32 : found->second;
}

bool holds_exactly(ElementType type, std::span<const real> values) {
  std::string bytes;
  encode_elements(type, values, bytes);
  std::vector<real> read(values.size());
  convert_elements(type, reinterpret_cast<const std::byte*>(bytes.data()), std::span(read));
  return std::ranges::equal(read, values);
}

}  // namespace

void require_type(ModelForm form, ElementType type) {
  const bool gguf = form == ModelForm::gguf;
  if (!has(form, type))
    throw UserError(fmt::format("{} cannot be written as {}, expected {}", gguf ? "a GGUF file" : "a folder",
                                type_layout(type).name, gguf ? "F32, F16, BF16, Q8_0 or Q4_0" : "F32, F16 or BF16"));
}

StoredTypes types_to_write(const Model& model, ModelForm form, std::optional<ElementType> wanted) {
  if (wanted) require_type(form, *wanted);
  StoredTypes types;
  model.weights.for_each([&](const std::string& name, const auto& view) {
    ElementType type = wanted.value_or(type_of(model.types, name));
    if (!has(form, type)) type = ElementType::f32;
    types[name] = fitting_type(view.shape().back(), type);
  });
  const ElementType main = wanted.value_or(main_type(model.weights, types));
  model.weights.for_each([&](const std::string& name, const auto& view) {
    if (view.shape().size() > 1) return;
    const bool same = form == ModelForm::folder && (wanted || holds_exactly(main, view.span()));
    types[name] = same ? main : ElementType::f32;
  });
  return types;
}

ElementType main_type(const LlamaParameters& weights, const StoredTypes& types) {
  std::map<ElementType, size_t> numbers;
  weights.for_each([&](const std::string& name, const auto& view) { numbers[type_of(types, name)] += view.size(); });
  return std::ranges::max_element(numbers, {}, [](const auto& entry) { return entry.second; })->first;
}

}  // namespace cria
