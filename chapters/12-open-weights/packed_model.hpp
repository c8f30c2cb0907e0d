// A model to be run: its matrices stay in the types of its file, where lib/simd multiplies these, and take about as
// much memory as the file. To train it, or to write it in another form, open_model makes all of it `real`.
#pragma once

#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/formats/gguf.hpp"

namespace cria {

struct PackedModel {
  ModelConfig config;
  LlamaWeights weights;
  std::unique_ptr<Tokenizer> tokenizer;  // null when the model has none
};

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
/// becomes `real`, as do other files. Arguments and errors are open_model's.
PackedModel open_packed_model(const std::filesystem::path& path, const std::filesystem::path& tokenizer = {});

/// The tokenizer of a GGUF file or of Hugging Face's folder, without the weights; null where it has none.
std::unique_ptr<Tokenizer> open_own_tokenizer(const std::filesystem::path& path);

/// Bytes of the weights of such a model, before it is opened.
size_t packed_weight_bytes(const std::filesystem::path& path);

}  // namespace cria
