// GPTQ on a whole model: layer after layer, each with what it reads once all before it are quantised.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "chapters/11-pretraining/model_folder.hpp"
#include "chapters/13-quantisation/calibration.hpp"
#include "chapters/13-quantisation/gptq.hpp"

namespace cria {

/// Blocks of whole matrices by their names in GGUF ("blk.0.attn_q.weight"), rows in a GGUF file's order.
using QuantisedMatrices = std::map<std::string, std::string, std::less<>>;

/// Quantises the layers' matrices, and an untied head, whose type has GPTQ; the windows are the text. The weights
/// become what the blocks stand for. The embedding is read by rows, not multiplied, so it has no H: quantise it before,
/// as layers make up for what is lost there, too. `progress` is told how many layers are done. The same bits at any
/// number of threads. Throws UserError for weights that make numbers of the text which are not finite.
QuantisedMatrices gptq_model(const LlamaParameters& weights, const StoredTypes& types,
                             const std::vector<BatchMemory>& windows, const GptqOptions& options, ThreadPool& pool,
                             const std::function<void(size_t layers)>& progress);

/// The blocks of one matrix in the order of a GGUF file's rows, made by `quantise` from its numbers in that order; the
/// matrix becomes what they stand for.
std::string replace_by_blocks(const LlamaConfig& config, const std::string& name, View<real, 2> matrix,
                              ElementType type,
                              const std::function<void(View<const real, 2> stored, std::string& out)>& quantise);

}  // namespace cria
