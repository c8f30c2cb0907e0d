#include "chapters/13-quantisation/importance_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "chapters/12-open-weights/tensor_names.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/gguf_cursor.hpp"
#include "lib/formats/gguf_write.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view sums_end = ".in_sum2", counts_end = ".counts";
constexpr std::int32_t most_matrices = 1 << 16, longest_name = 1 << 16;

[[noreturn]] void fail(const fs::path& path, const std::string& message) {
  throw UserError(fmt::format("{}: {}", shown_path(path), message));
}

/// Adds the sums of one matrix, after a look at them.
void add(const fs::path& path, const std::string& name, InputSquares squares, Importance& to) {
  const auto is_bad = [](double x) { return !std::isfinite(x) || x < 0; };
  if (is_bad(squares.count))
    fail(path, fmt::format("{} has {} rows, expected a number", in_quotes(name), squares.count));
  if (const auto bad = std::ranges::find_if(squares.sums, is_bad); bad != squares.sums.end())
    fail(path, fmt::format("{} has the sum of squares {}, expected 0 or more", in_quotes(name), *bad));
  if (!to.inputs.emplace(name, std::move(squares)).second)
    fail(path, fmt::format("{} is there twice", in_quotes(name)));
}

std::vector<float> floats(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::ranges::copy(bytes.first(values.size() * sizeof(float)), std::as_writable_bytes(std::span(values)).begin());
  return values;
}

Importance read_new_form(const fs::path& path) {
  const GgufFile file(path);
  const GgufValue* type = file.find("general.type");
  if (!type || type->text() != "imatrix")
    fail(path, fmt::format("its general.type is {}, expected imatrix",
                           type && type->text() ? in_quotes(*type->text()) : "not said"));
  Importance found;
  if (const GgufValue* texts = file.find("imatrix.datasets"))
    for (const std::string_view text : texts->texts().value_or(std::vector<std::string_view>()))
      found.texts.emplace_back(text);
  const auto whole = [&](const char* key) {
    const GgufValue* value = file.find(key);
    return value ? static_cast<size_t>(value->whole().value_or(0)) : 0;
  };
  found.windows = whole("imatrix.chunk_count");
  found.positions = whole("imatrix.chunk_size");
  size_t counts_used = 0, counts_there = 0;
  for (const StoredTensor& tensor : file.tensors().all()) {
    const std::string_view full = tensor.name;
    counts_there += full.ends_with(counts_end);
    if (full.ends_with(counts_end)) continue;
    if (!full.ends_with(sums_end))
      fail(path, fmt::format("tensor {} is no part of an importance matrix", in_quotes(full)));
    const std::string name(full.substr(0, full.size() - sums_end.size()));
    const StoredTensor* counts = file.tensors().find(name + std::string(counts_end));
    if (!counts) fail(path, fmt::format("{} has no {}", in_quotes(name), counts_end));
    if (tensor.type != ElementType::f32 || counts->type != ElementType::f32)
      fail(path, fmt::format("{} is {}, expected F32", in_quotes(name), type_layout(tensor.type).name));
    if (tensor.shape.empty() || tensor.bytes.size() != tensor.shape.back() * sizeof(float) ||
        counts->bytes.size() != sizeof(float))
      fail(path,
           fmt::format("{} has sums for several matrices: mixtures of experts are not supported", in_quotes(name)));
    add(path, name, {floats(tensor.bytes), floats(counts->bytes).front()}, found);
    ++counts_used;
  }
  if (counts_used != counts_there) fail(path, "has counts without sums of squares");
  return found;
}

/// A number of matrices; of each its name, the number of windows, and Σ x² / rows times that number. Then how many
/// windows there were in all, and the text's name, which the oldest files lack.
Importance read_old_form(const fs::path& path) {
  const MappedFile file(path);
  GgufCursor at(path, file.bytes());
  const auto whole = [&](const char* what, std::int32_t most) {
    const auto number = at.number<std::int32_t>(what);
    if (number < 0 || number > most)
      at.fail(
          "is no importance matrix: {} is {}, expected 0 to {}; GGUF or the older form (.dat) of llama.cpp's is read",
          what, number, most);
    return number;
  };
  Importance found;
  const std::int32_t matrices = whole("the number of matrices", most_matrices);
  const auto text = [&](const char* what) {
    const auto bytes = at.take(static_cast<std::uint64_t>(whole("the length of a name", longest_name)), what);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  constexpr std::int32_t any = 0x7fffffff;
  for (std::int32_t i = 0; i < matrices; ++i) {
    const std::string name = text("a matrix's name");
    const std::int32_t windows = whole("the number of windows", any), columns = whole("the number of columns", any);
    add(path, name,
        {floats(at.take(static_cast<std::uint64_t>(columns) * sizeof(float), "sums of squares")), double(windows)},
        found);
  }
  if (at.at_end()) return found;
  found.windows = static_cast<size_t>(whole("the number of windows", any));
  found.texts.push_back(text("a text's name"));
  if (!at.at_end()) at.fail("more follows the importance matrix, expected its end");
  return found;
}

}  // namespace

void write_importance(const fs::path& path, const Importance& importance) {
  GgufMetadata metadata;
  metadata.add("general.type", "imatrix");
  metadata.add("imatrix.datasets", std::span<const std::string>(importance.texts));
  metadata.add("imatrix.chunk_count", static_cast<std::uint32_t>(importance.windows));
  metadata.add("imatrix.chunk_size", static_cast<std::uint32_t>(importance.positions));
  std::vector<TensorToWrite> tensors;
  std::deque<std::vector<real>> values;  // that the tensors look at
  const auto add = [&](std::string name, std::vector<real> numbers) {
    values.push_back(std::move(numbers));
    tensors.push_back({std::move(name), {values.back().size()}, values.back()});
  };
  for (const auto& [name, squares] : importance.inputs) {
    add(name + std::string(sums_end), {squares.sums.begin(), squares.sums.end()});
    add(name + std::string(counts_end), {real(squares.count)});
  }
  write_gguf(path, metadata, tensors);
}

Importance read_importance(const fs::path& path) {
  Importance found = is_gguf(path) ? read_new_form(path) : read_old_form(path);
  if (found.inputs.empty()) fail(path, "holds no importance of any matrix");
  return found;
}

void require_importance_of(const LlamaParameters& weights, const Importance& importance, const fs::path& path) {
  size_t known = 0;
  weights.for_each([&](const std::string& name, const auto& view) {
    const auto found = importance.inputs.find(parameter_name(name).gguf);
    if (found == importance.inputs.end()) return;
    ++known;
    const size_t columns = view.shape().back();
    if (found->second.sums.size() != columns)
      fail(path, fmt::format("{} has {} columns, expected {} as in the model", found->first, found->second.sums.size(),
                             columns));
  });
  if (known == 0) fail(path, "has no matrix of this model");
}

}  // namespace cria
