#include "app/adapter.hpp"

#include "chapters/15-adapters/peft_files.hpp"

namespace cria {

LlamaWeights with_adapter(const LlamaWeights& weights, const std::string& folder) {
  return folder.empty() ? weights : adapted(weights, load_adapter(folder, weights.config));
}

}  // namespace cria
