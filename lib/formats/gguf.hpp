// GGUF files, versions 2 and 3: metadata and tensors in one file, as llama.cpp uses them (github.com/ggml-org/ggml,
// docs/gguf.md). Reading maps the file and trusts nothing in it; what the keys mean for a Llama is chapter 12's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.hpp"
#include "lib/base/view.hpp"
#include "lib/formats/tensor_table.hpp"

namespace cria {

enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

/// One value of the metadata. It stays as it lies in the file until it is asked for: a vocabulary of 128,000 strings
/// costs nothing when only the model's sizes are wanted, and a copy of the file keeps every key, understood or not.
class GgufValue {
 public:
  /// `bytes` is the encoded value without its type; of an array without its element type and count.
  GgufValue(GgufType type, std::span<const std::byte> bytes) : type_(type), bytes_(bytes) {}
  GgufValue(GgufType element, std::uint64_t count, std::span<const std::byte> bytes)
      : type_(GgufType::array), element_(element), count_(count), bytes_(bytes) {}

  GgufType type() const { return type_; }
  GgufType element_type() const { return element_; }  // of an array
  std::uint64_t count() const { return count_; }      // of an array
  std::span<const std::byte> bytes() const { return bytes_; }

  /// Nothing when the value is of another kind: a whole number 0 or more of any width, any number, a truth, a text.
  std::optional<std::uint64_t> whole() const;
  std::optional<double> number() const;
  std::optional<bool> truth() const;
  std::optional<std::string_view> text() const;
  /// Of an array of texts, and of one of numbers; nothing for other arrays.
  std::optional<std::vector<std::string_view>> texts() const;
  std::optional<std::vector<double>> numbers() const;

 private:
  GgufType type_, element_ = GgufType::u8;
  std::uint64_t count_ = 1;
  std::span<const std::byte> bytes_;
};

class GgufFile {
 public:
  using Metadata = std::vector<std::pair<std::string, GgufValue>>;

  /// Maps the file and checks all of it but the numbers. Of a split model this is the first part, and the others, which
  /// lie beside it under the names that llama.cpp gives them, are mapped too. Throws UserError, one line with the file,
  /// the key or tensor and what was expected, when anything does not fit.
  explicit GgufFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  /// In the file's order; of a split model the first part's.
  const Metadata& metadata() const { return metadata_; }
  /// Nothing when there is no such key.
  const GgufValue* find(std::string_view key) const;

  /// Shapes are row-major, so (rows, columns) where GGUF itself says (columns, rows).
  const TensorTable& tensors() const { return tensors_; }
  void copy_to(std::string_view name, std::span<const size_t> shape, std::span<real> values) const;
  /// Gives the tensor's pages back to the system. Throws UserError when the file has shrunk.
  void release(const StoredTensor& tensor) const;

 private:
  void read_part(const std::filesystem::path& path);
  void read_other_parts();

  std::filesystem::path path_;
  std::vector<MappedFile> parts_;
  Metadata metadata_;
  std::map<std::string, size_t, std::less<>> index_;
  TensorTable tensors_;
};

/// Whether the file begins as a GGUF file does.
bool is_gguf(const std::filesystem::path& path);

}  // namespace cria
