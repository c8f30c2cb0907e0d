// What the tensors of a Llama are called in the three families of files, and what each does to their layout.
//
//   Hugging Face   model.layers.0.self_attn.q_proj.weight    cria's own names and layout
//   GGUF           blk.0.attn_q.weight                       rows of query and key in pairs (2i, 2i + 1)
//   Meta           layers.0.attention.wq.weight              the same, and cut into a part for each device
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cria {

/// Along which axis Meta's files are cut: rows and columns are joined again, what is whole stands in each file.
enum class MetaCut { rows, columns, whole };

struct TensorName {
  std::string_view hugging_face, gguf, meta;  // of a layer's tensor, without what stands around it
  MetaCut cut;
  bool has_pairs = false;  // its rows are turned by RoPE
};

/// The tensors of a layer, and those that stand once in a model.
std::span<const TensorName> layer_tensors();
std::span<const TensorName> model_tensors();

/// One parameter's name in each family: of "model.layers.0.mlp.up_proj.weight" "blk.0.ffn_up.weight" and so on.
struct ParameterName {
  std::string hugging_face, gguf, meta;
  MetaCut cut;
  bool has_pairs;
};

/// From the name that for_each_parameter gives. Throws ContractError for one that no Llama has.
ParameterName parameter_name(std::string_view hugging_face);

}  // namespace cria
