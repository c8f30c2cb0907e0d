// The matrices of a packed model (packed_model.hpp) as they are read, one after the other, into memory for what is kept
// of them.
#pragma once

#include "chapters/12-open-weights/packed_model.hpp"
#include "lib/base/thread_pool.hpp"

namespace cria {

/// A model's tensors as they lie in its files, by the names of parameters, and what belongs to them.
struct PackedSource {
  ModelConfig config;
  std::function<const StoredTensor*(const std::string& name)> tensor;
  std::function<void(const StoredTensor& tensor, std::span<const size_t> shape, std::span<real> values)> copy;
  std::function<void(const StoredTensor& tensor)> release;
  std::function<std::unique_ptr<Tokenizer>()> tokenizer;  // null when there is none
  bool has_pairs;                                         // rows of queries and keys have RoPE's pairs side by side
};

class MatrixReader {
 public:
  /// Of a source and a function that outlive it; without a function all is kept.
  MatrixReader(const PackedSource& source, const KeepPart& keep);

  /// What the kept part takes.
  size_t bytes(const std::string& name, const Shape<2>& shape) const;
  /// The kept part, at a place of so many zeros. One matrix is there whole while it is cut by columns, or is not
  /// packed.
  Weight read(const std::string& name, const Shape<2>& shape, std::byte* place);

 private:
  KeptPart kept(const std::string& name, const Shape<2>& shape) const;

  const PackedSource& source_;
  const LlamaConfig& config_;
  const KeepPart& keep_;
  ThreadPool pool_;
};

}  // namespace cria
