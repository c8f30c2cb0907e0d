#include "lib/formats/gguf_write.hpp"

#include <algorithm>
#include <set>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/gguf_types.hpp"

namespace cria {
namespace {

constexpr std::uint64_t alignment = 32;

template <class Number>
void append(Number value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append(std::string_view text, std::string& out) {
  append(std::uint64_t{text.size()}, out);
  out.append(text);
}

std::uint32_t tensor_type(ElementType type) {
  const auto found = std::ranges::find(gguf_tensor_types, type, [](const auto& entry) { return entry.second; });
  if (found == gguf_tensor_types.end()) throw ContractError("write_gguf: GGUF has no such type");
  return found->first;
}

std::uint64_t aligned(std::uint64_t size) { return (size + alignment - 1) / alignment * alignment; }

}  // namespace

void GgufMetadata::begin(std::string_view key, GgufType type) {
  keys_.emplace_back(key);
  append(key, bytes_);
  append(static_cast<std::uint32_t>(type), bytes_);
}

void GgufMetadata::begin_array(std::string_view key, GgufType element, std::uint64_t count) {
  begin(key, GgufType::array);
  append(static_cast<std::uint32_t>(element), bytes_);
  append(count, bytes_);
}

void GgufMetadata::add(std::string_view key, std::uint32_t value) {
  begin(key, GgufType::u32);
  append(value, bytes_);
}

void GgufMetadata::add(std::string_view key, float value) {
  begin(key, GgufType::f32);
  append(value, bytes_);
}

void GgufMetadata::add(std::string_view key, bool value) {
  begin(key, GgufType::boolean);
  append(static_cast<std::uint8_t>(value), bytes_);
}

void GgufMetadata::add(std::string_view key, std::string_view value) {
  begin(key, GgufType::text);
  append(value, bytes_);
}

void GgufMetadata::add(std::string_view key, std::span<const std::string> values) {
  begin_array(key, GgufType::text, values.size());
  for (const std::string& value : values) append(std::string_view(value), bytes_);
}

void GgufMetadata::add(std::string_view key, std::span<const std::int32_t> values) {
  begin_array(key, GgufType::i32, values.size());
  for (const std::int32_t value : values) append(value, bytes_);
}

void GgufMetadata::add(std::string_view key, std::span<const float> values) {
  begin_array(key, GgufType::f32, values.size());
  for (const float value : values) append(value, bytes_);
}

void GgufMetadata::add(std::string_view key, const GgufValue& value) {
  if (value.type() == GgufType::array)
    begin_array(key, value.element_type(), value.count());
  else
    begin(key, value.type());
  bytes_.append(reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size());
}

void write_gguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                std::span<const TensorToWrite> tensors) {
  std::set<std::string_view> names(metadata.keys().begin(), metadata.keys().end());
  require(names.size() == metadata.count(), "write_gguf", "a key is there twice");
  names.clear();
  std::string header = "GGUF";
  append(std::uint32_t{3}, header);
  append(std::uint64_t{tensors.size()}, header);
  append(std::uint64_t{metadata.count()}, header);
  header += metadata.bytes();
  std::uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    require(names.insert(tensor.name).second, tensor.name.c_str(), "the name is taken");
    append(std::string_view(tensor.name), header);
    append(static_cast<std::uint32_t>(tensor.shape.size()), header);
    for (size_t axis = tensor.shape.size(); axis-- > 0;) append(std::uint64_t{tensor.shape[axis]}, header);
    append(tensor_type(tensor.type), header);
    append(offset, header);
    offset = aligned(offset + written_bytes(tensor));
  }
  header.resize(aligned(header.size()));
  write_file_atomically(path, [&](const WriteBytes& write) {
    write(header);
    for (const TensorToWrite& tensor : tensors) {
      const size_t bytes = written_bytes(tensor);
      write_values(tensor, write);
      write(std::string(aligned(bytes) - bytes, '\0'));
    }
  });
}

}  // namespace cria
