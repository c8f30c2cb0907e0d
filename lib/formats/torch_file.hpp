// PyTorch's files (torch.save, since version 1.6): a zip archive with a pickle, data.pkl, that says which tensors there
// are, and the numbers of each storage in an entry data/KEY. Meta publishes its Llamas in them, as consolidated.NN.pth.
#pragma once

#include <filesystem>
#include <list>
#include <string>

#include "lib/formats/tensor_table.hpp"
#include "lib/formats/zip.hpp"

namespace cria {

/// A file that holds a dictionary of tensors. Its pickle is read as data, and nothing in it is ever called.
class TorchFile {
 public:
  /// Throws UserError, one line with the file and what was expected, for anything but a dictionary of tensors of
  /// floating-point numbers (float, half, bfloat16, double), each within its storage.
  explicit TorchFile(const std::filesystem::path& path);

  const TensorTable& tensors() const { return tensors_; }
  /// Gives the pages of a tensor that has been copied out back to the system.
  void release(const StoredTensor& tensor) const { zip_.file().release(tensor.bytes); }

 private:
  void read_tensors();

  ZipFile zip_;
  TensorTable tensors_;
  std::list<std::string> copies_;  // of tensors that do not lie in their storage row by row
};

}  // namespace cria
