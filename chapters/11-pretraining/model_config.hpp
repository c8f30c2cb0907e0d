// config.json of a model's folder, in Hugging Face's layout: the architecture, and the tokens that begin and end a
// text.
//
// A key that changes what a model computes is understood or refused by name, never passed over. So is a key that is not
// known here, unless its value is null. It leaves out biases, quantised weights (chapter 12 reads some) and the
// scalings of RoPE other than linear and llama3.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/08-llama/config.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {

class JsonKeys;

/// Which tokens begin and end a text, where the model was trained with such. Of several end tokens the first is the one
/// that stands between documents; a text that is generated ends at any of them.
struct ModelConfig {
  LlamaConfig llama;
  std::optional<TokenId> begin_of_text;
  std::vector<TokenId> end_of_text;
};

/// What a Llama's last norm is read by, and what Hugging Face calls the whole.
enum class ModelKind {
  language,  ///< a head with a row for each token: LlamaForCausalLM
  reward,    ///< a head with one row (chapter 16): LlamaForSequenceClassification with one label
};

/// Throws UserError naming the file and the key for anything missing, of the wrong type, not of a Llama of that kind,
/// or not known.
ModelConfig read_config(const std::filesystem::path& file, ModelKind kind = ModelKind::language);
/// The same of a file of which some keys were read before: those that say how weights are quantised (chapter 12).
ModelConfig read_config(const JsonKeys& json, ModelKind kind = ModelKind::language);
/// With the type of the weights beside it, F32, F16 or BF16, in which transformers then computes. Throws UserError for
/// a scaling of RoPE that has no name there.
void write_config(const std::filesystem::path& file, const ModelConfig& config, ElementType type = ElementType::f32,
                  ModelKind kind = ModelKind::language);

}  // namespace cria
