// Chapter 12, tensor names.
#include "chapters/12-open-weights/tensor_names.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {

std::span<const TensorName> layer_tensors() {
  // solution: layer_tensors
  static constexpr TensorName tensors[] = {
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
  return tensors;
  // end of solution
}

std::span<const TensorName> model_tensors() {
  static constexpr TensorName tensors[] = {
      {"model.embed_tokens", "token_embd", "tok_embeddings", MetaCut::columns},  // by rows in Llama 3
      {"model.norm", "output_norm", "norm", MetaCut::whole},
      {"lm_head", "output", "output", MetaCut::rows},
  };
  return tensors;
}

ParameterName parameter_name(std::string_view hugging_face) {
  constexpr std::string_view layers = "model.layers.", end = ".weight";
  const std::string whole(hugging_face);
  if (hugging_face.ends_with(end)) {
    std::string_view name = hugging_face.substr(0, hugging_face.size() - end.size());
    std::string_view layer;
    std::span<const TensorName> tensors = model_tensors();
    if (name.starts_with(layers)) {
      name.remove_prefix(layers.size());
      const size_t dot = name.find('.');
      layer = name.substr(0, dot), name.remove_prefix(std::min(name.size(), dot + 1));
      tensors = layer_tensors();
    }
    for (const TensorName& known : tensors) {
      if (known.hugging_face != name) continue;
      if (layer.empty())
        return {whole, fmt::format("{}.weight", known.gguf), fmt::format("{}.weight", known.meta), known.cut, false};
      return {whole, fmt::format("blk.{}.{}.weight", layer, known.gguf),
              fmt::format("layers.{}.{}.weight", layer, known.meta), known.cut, known.has_pairs};
    }
  }
  throw ContractError(fmt::format("no Llama has a tensor {}", hugging_face));
}

}  // namespace cria
