// Writes .safetensors files; safetensors.cpp says what they look like.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lib/base/check.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace {

std::string_view as_text(const void* data, size_t bytes) { return {static_cast<const char*>(data), bytes}; }

// Converts in pieces, so that a large tensor needs no second copy of itself.
template <class Stored>
void write_values(std::span<const real> values, const WriteBytes& write) {
  if constexpr (std::is_same_v<Stored, real>) {
    write(as_text(values.data(), values.size_bytes()));
  } else {
    std::vector<Stored> piece;
    for (constexpr size_t step = 65536; !values.empty(); values = values.subspan(piece.size())) {
      const auto next = values.first(std::min(step, values.size()));
      piece.assign(next.begin(), next.end());
      write(as_text(piece.data(), piece.size() * sizeof(Stored)));
    }
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata, ElementType type) {
  require(type == ElementType::f32 || type == ElementType::f64, "write_safetensors", "the type must be f32 or f64");
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t end = 0;
  for (const TensorToWrite& tensor : tensors) {
    const size_t begin = end, bytes = tensor.values.size() * element_size(type);
    require(tensor_bytes(tensor.shape, type) == bytes, tensor.name.c_str(), "the shape's product is not its size");
    require(!header.contains(tensor.name) && tensor.name != "__metadata__", tensor.name.c_str(), "the name is taken");
    end += bytes;
    header[tensor.name] = {
        {"dtype", type == ElementType::f32 ? "F32" : "F64"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the tensors begin at a multiple of 8
  const std::uint64_t length = text.size();
  write_file_atomically(path, [&](const WriteBytes& write) {
    write(as_text(&length, sizeof length));
    write(text);
    for (const TensorToWrite& tensor : tensors)
      if (type == ElementType::f32)
        write_values<float>(tensor.values, write);
      else
        write_values<double>(tensor.values, write);
  });
}

}  // namespace cria
