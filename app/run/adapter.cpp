#include "app/run/adapter.hpp"

#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/15-adapters/llama_adapter_files.hpp"

namespace cria {

LlamaWeights with_adapter(const LlamaWeights& weights, const std::string& folder) {
  return folder.empty() ? weights : with_adapter_in(folder, weights);
}

std::filesystem::path format_folder(const std::filesystem::path& path, const ModelView& model,
                                    const std::string& adapter) {
  return !adapter.empty() && find_chat_template(adapter, model) ? std::filesystem::path(adapter) : path;
}

}  // namespace cria
