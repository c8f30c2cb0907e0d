// Writes .safetensors files; safetensors.cpp says what they look like.
#include <nlohmann/json.hpp>

#include "lib/base/check.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata,
                       const std::function<void(const TensorToWrite&)>& before) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t end = 0;
  for (const TensorToWrite& tensor : tensors) {
    const TypeLayout layout = type_layout(tensor.type);
    require(is_floating(tensor.type) && layout.numbers == 1, tensor.name.c_str(), "the type must be that of a number");
    require(!header.contains(tensor.name) && tensor.name != "__metadata__", tensor.name.c_str(), "the name is taken");
    const size_t begin = end;
    end += written_bytes(tensor);
    header[tensor.name] = {{"dtype", layout.name}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the tensors begin at a multiple of 8
  const std::uint64_t length = text.size();
  write_file_atomically(path, [&](const WriteBytes& write) {
    write({reinterpret_cast<const char*>(&length), sizeof length});
    write(text);
    for (const TensorToWrite& tensor : tensors) {
      if (before) before(tensor);
      write_values(tensor, write);
    }
  });
}

}  // namespace cria
