// .safetensors files: Hugging Face's format for named tensors (github.com/huggingface/safetensors, "Format").
//
// Reading maps the file, so that a tensor costs memory only when it is copied out, and trusts nothing in it. One file
// is one set of tensors: a model split over several files is put together by whoever reads them.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"
#include "lib/formats/tensor_table.hpp"
#include "lib/formats/tensor_write.hpp"

namespace cria {

class SafetensorsFile {
 public:
  /// Maps the file and checks its whole header. Throws UserError, one line with the file, the tensor and what was
  /// expected, when the file cannot be read or anything in it does not fit.
  explicit SafetensorsFile(const std::filesystem::path& path);

  /// In the order in which their bytes lie; without those of a dtype that is not known here.
  const std::vector<StoredTensor>& tensors() const { return tensors_.all(); }
  /// What stands under "__metadata__", for example {"format": "pt"}.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// Nothing when there is no such tensor. Throws UserError when its dtype is not known here.
  const StoredTensor* find(std::string_view name) const;
  /// The same, but throws UserError also when there is no such tensor.
  const StoredTensor& tensor(std::string_view name) const;

  /// Copies a tensor of floating-point numbers (F64, F32, F16, BF16) as `real`, in row-major order. Throws UserError
  /// when it is missing, of another shape, or of integers.
  void copy_to(std::string_view name, std::span<const size_t> shape, std::span<real> values) const;
  template <size_t N>
  void copy_to(std::string_view name, View<real, N> values) const {
    copy_to(name, values.shape(), values.span());
  }

  /// Gives the pages of a tensor that has been copied out back to the system.
  void release(const StoredTensor& tensor) const { file_.release(tensor.bytes); }

  using Names = std::map<std::string, std::string, std::less<>>;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  TensorTable tensors_;
  Names unknown_dtypes_;  // name -> dtype of tensors that cannot be read
  std::map<std::string, std::string> metadata_;
};

/// Writes the tensors in this order, each as F64, F32, F16 or BF16; the file appears whole or not at all. transformers
/// wants the metadata {"format": "pt"}. Throws UserError when the file cannot be written or a type cannot hold a value,
/// ContractError for two tensors of one name, another type, or a shape that does not fit. With `before` the numbers of
/// a tensor need be at their place only when it has been called for that tensor.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}},
                       const std::function<void(const TensorToWrite&)>& before = {});

}  // namespace cria
