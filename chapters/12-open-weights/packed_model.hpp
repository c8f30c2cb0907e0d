// A model to be run: its matrices stay in the types of its file, where lib/simd multiplies these, and take about as
// much memory as the file. To train it, or to write it in another form, open_model makes all of it `real`.
#pragma once

#include <functional>
#include <vector>

#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/formats/gguf.hpp"

namespace cria {

struct PackedModel {
  ModelConfig config;
  LlamaWeights weights;
  std::unique_ptr<Tokenizer> tokenizer;  // null when the model has none
  std::vector<ElementType> types = {};   // that the matrices have in the file, in the order of for_each_parameter
};

/// What a process keeps of a matrix, where several have a model together; without rows it does not even read it.
struct KeptPart {
  Range rows, columns;
};
/// By the model's configuration, and the name and shape of a parameter's matrix.
using KeepPart = std::function<KeptPart(const LlamaConfig& config, const std::string& name, const Shape<2>& shape)>;

/// What texts and conversations need of a model of either kind, which must outlive it.
struct ModelView {
  ModelView(const Model& m) : config(m.config), weights(m.weights), tokenizer(m.tokenizer.get()) {}
  ModelView(const ModelConfig& c, const LlamaWeights& w, const Tokenizer* t) : config(c), weights(w), tokenizer(t) {}
  ModelView(const PackedModel& m) : config(m.config), weights(m.weights), tokenizer(m.tokenizer.get()) {}

  const ModelConfig& config;
  const LlamaWeights& weights;
  const Tokenizer* tokenizer;
};

/// What a tensor of a type takes in memory, from one cache line to another.
size_t packed_tensor_bytes(ElementType stored, std::span<const size_t> shape);

/// Matrices of 16 bits, of GGUF files and Hugging Face's folders, and those in blocks stay as they are; all else
/// becomes `real`, as do other files. Arguments and errors are open_model's. With `keep` the matrices are the parts
/// that it says, and take no more memory than these, one of them whole on the way; but of files that open_model reads
/// all are there. What is cut by columns becomes `real`. The configuration and the norms stay those of the whole model.
PackedModel open_packed_model(const std::filesystem::path& path, const std::filesystem::path& tokenizer = {},
                              const KeepPart& keep = {});

/// The tokenizer of a GGUF file or of Hugging Face's folder, without the weights; null where it has none.
std::unique_ptr<Tokenizer> open_own_tokenizer(const std::filesystem::path& path);

/// Bytes of the weights of such a model, before it is opened.
size_t packed_weight_bytes(const std::filesystem::path& path);

}  // namespace cria
