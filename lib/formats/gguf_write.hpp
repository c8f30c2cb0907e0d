// Writes GGUF files, version 3; gguf.cpp says what they look like.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/formats/gguf.hpp"
#include "lib/formats/tensor_write.hpp"

namespace cria {

/// The metadata of a file to be written, in the order in which it is added. A key may stand there once, which the
/// writer checks.
class GgufMetadata {
 public:
  void add(std::string_view key, std::uint32_t value);
  void add(std::string_view key, float value);
  void add(std::string_view key, bool value);
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, const char* value) { add(key, std::string_view(value)); }
  void add(std::string_view key, std::span<const std::string> values);
  void add(std::string_view key, std::span<const std::int32_t> values);
  void add(std::string_view key, std::span<const float> values);
  /// A value of another file, as it stood there.
  void add(std::string_view key, const GgufValue& value);

  size_t count() const { return keys_.size(); }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void begin(std::string_view key, GgufType type);
  void begin_array(std::string_view key, GgufType element, std::uint64_t count);

  std::vector<std::string> keys_;
  std::string bytes_;
};

/// The file appears whole or not at all. Throws UserError when it cannot be written or a type cannot hold a value,
/// ContractError for a name that is there twice or a shape that does not fit its values or type.
void write_gguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                std::span<const TensorToWrite> tensors);

}  // namespace cria
