#include "app/weights/rewrite.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

/// A folder that is replaced must hold a model, and nothing that is lost with it.
void require_model_folder(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const auto is = [&](std::string_view begin, std::string_view end) {
      return name.starts_with(begin) && name.ends_with(end);
    };
    if (!is("config.json", "") && !is("generation_config.json", "") && !is("model", ".safetensors") &&
        !is("model", ".index.json") && !is("tokenizer", "") && !is("special_tokens_map.json", "") &&
        !is("added_tokens.json", "") && !is("chat_template.jinja", ""))
      throw UserError(fmt::format("{} holds {}, which is no part of a model; --overwrite would remove it",
                                  folder.string(), in_quotes(name)));
  }
}

}  // namespace

void require_free(const fs::path& to, ModelForm form, bool overwrite) {
  if (!fs::exists(to) || (form == ModelForm::folder && fs::is_directory(to) && fs::is_empty(to))) return;
  const bool is_folder = fs::is_directory(to);
  if (is_folder != (form == ModelForm::folder))
    throw UserError(fmt::format("{} is a {}, expected a new name, with .gguf at its end for a GGUF file", to.string(),
                                is_folder ? "folder" : "file"));
  if (!overwrite) throw UserError(fmt::format("{} is there already; --overwrite replaces it", to.string()));
  if (is_folder) require_model_folder(to);
}

Model open_to_rewrite(const fs::path& from) {
  Model model = open_model(from);
  if (fs::is_directory(from))  // config.json names the first token that ends a text, generation_config.json all of them
    for (const TokenId id : read_generation_config(from, model.config.llama.vocabulary_size).end_of_text)
      if (!std::ranges::count(model.config.end_of_text, id)) model.config.end_of_text.push_back(id);
  return model;
}

void rewrite_as_gguf(const fs::path& from, const fs::path& to, const Model& model, const StoredTypes& types,
                     const std::optional<GgufBlocks>& blocks) {
  const auto metadata = !fs::is_directory(from) && is_gguf(from) ? std::optional<GgufFile>(from) : std::nullopt;
  const auto chat = model.tokenizer ? find_chat_template(from, model) : std::nullopt;
  save_gguf(to, model, types, metadata ? &*metadata : nullptr, chat ? std::optional(chat->text) : std::nullopt, blocks);
}

std::string contents_text(const fs::path& to, const Model& model, const StoredTypes& types) {
  std::map<ElementType, size_t> written;
  for (const auto& [name, type] : types) ++written[type];
  std::vector<std::string> counts;
  for (const auto& [type, count] : written) counts.push_back(fmt::format("{} {}", count, type_layout(type).name));
  return fmt::format("{}: {} parameters in {} tensors ({})", to.string(), parameter_count(model.config.llama),
                     types.size(), fmt::join(counts, ", "));
}

}  // namespace cria
