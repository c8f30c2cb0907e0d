// How the weights of a Hugging Face folder are quantised: quantization_config in config.json, or in older folders
// quantize_config.json beside it.
//
// What would change the numbers and is not computed here is refused by name: other methods (bitsandbytes' nf4, FP8),
// other numbers of bits and layouts, quantised activations and caches, and layers that each have settings of their own.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "chapters/11-pretraining/json_keys.hpp"
#include "chapters/11-pretraining/model_config.hpp"

namespace cria {

/// A weight of output o and input i is scale (code - zero point), the last two of output o and the group of input i.
struct Quantisation {
  enum class Format {
    gptq,               // Frantar et al. 2022, arXiv:2210.17323, as AutoGPTQ and GPTQModel store it
    awq,                // Lin et al. 2023, arXiv:2306.00978, as AutoAWQ's version "gemm" does
    compressed_tensors  // "pack-quantized" of llm-compressor and vLLM
  };

  Format format = Format::gptq;
  size_t bits = 4;
  size_t group_size = 0;       // inputs that share a scale; 0: all of them
  bool act_order = false;      // which input is of which group, a tensor says
  bool symmetric = false;      // every zero point is the middle code
  size_t zero_offset = 0;      // what is added to a stored zero point: 1 in GPTQ's first version
  std::string file = "model";  // the name of the weights' file, without its ending

  std::set<std::string, std::less<>> not_quantised = {};  // linears, such as "lm_head"

  size_t groups(size_t inputs) const { return group_size == 0 ? 1 : (inputs + group_size - 1) / group_size; }
};

/// "GPTQ, 4 bits in groups of 128, act-order"
std::string quantisation_text(const Quantisation& quantisation);

struct FolderConfig {
  ModelConfig model;
  std::optional<Quantisation> quantisation;  // nothing where the weights are numbers
};

/// Throws UserError naming the file and the key.
FolderConfig read_folder_config(const std::filesystem::path& folder);

}  // namespace cria
