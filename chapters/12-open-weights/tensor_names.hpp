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

inline constexpr TensorName layer_tensor_names[] = {
    {"input_layernorm", "attn_norm", "attention_norm", MetaCut::whole},
    {"self_attn.q_proj", "attn_q", "attention.wq", MetaCut::rows, true},
    {"self_attn.k_proj", "attn_k", "attention.wk", MetaCut::rows, true},
    {"self_attn.v_proj", "attn_v", "attention.wv", MetaCut::rows},
    {"self_attn.o_proj", "attn_output", "attention.wo", MetaCut::columns},
    {"post_attention_layernorm", "ffn_norm", "ffn_norm", MetaCut::whole},
    {"mlp.gate_proj", "ffn_gate", "feed_forward.w1", MetaCut::rows},
    {"mlp.up_proj", "ffn_up", "feed_forward.w3", MetaCut::rows},
    {"mlp.down_proj", "ffn_down", "feed_forward.w2", MetaCut::columns},
};

/// Those that stand once in a model. Llama 1 and 2 cut the embedding by columns, Llama 3 by rows.
inline constexpr TensorName model_tensor_names[] = {
    {"model.embed_tokens", "token_embd", "tok_embeddings", MetaCut::columns},
    {"model.norm", "output_norm", "norm", MetaCut::whole},
    {"lm_head", "output", "output", MetaCut::rows},
};

/// One parameter's name in each family: of "model.layers.0.mlp.up_proj.weight" "blk.0.ffn_up.weight" and so on.
struct ParameterName {
  std::string hugging_face, gguf, meta;
  MetaCut cut;
  bool has_pairs;
};

/// From the name that for_each_parameter gives. Throws ContractError for one that no Llama has.
ParameterName parameter_name(std::string_view hugging_face);

}  // namespace cria
