// cria convert: a model from one form to another.
#include "app/convert.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/grouped_heads.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/save_folder.hpp"
#include "chapters/12-open-weights/save_gguf.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

ElementType type_of_name(const std::string& name) {
  if (const auto type = floating_type(name)) return *type;
  throw UserError(fmt::format("--type is {}, expected F32, F16, BF16, Q8_0 or Q4_0", in_quotes(name)));
}

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

void require_free(const fs::path& to, ModelForm form, bool overwrite) {
  if (!fs::exists(to) || (form == ModelForm::folder && fs::is_directory(to) && fs::is_empty(to))) return;
  const bool is_folder = fs::is_directory(to);
  if (is_folder != (form == ModelForm::folder))
    throw UserError(fmt::format("{} is a {}, expected a new name, with .gguf at its end for a GGUF file", to.string(),
                                is_folder ? "folder" : "file"));
  if (!overwrite) throw UserError(fmt::format("{} is there already; --overwrite replaces it", to.string()));
  if (is_folder) require_model_folder(to);
}

/// What was written, and which matrices had to change their type without being asked to.
void print_result(const fs::path& to, const Model& model, const StoredTypes& types, bool asked) {
  std::map<ElementType, size_t> written;
  std::map<std::pair<ElementType, ElementType>, size_t> changed;
  model.weights.for_each([&](const std::string& name, const auto& view) {
    const ElementType type = types.at(name);
    ++written[type];
    const auto stored = model.types.find(name);
    if (!asked && stored != model.types.end() && stored->second != type && view.shape().size() > 1)
      ++changed[{stored->second, type}];
  });
  std::vector<std::string> counts;
  for (const auto& [type, count] : written) counts.push_back(fmt::format("{} {}", count, type_layout(type).name));
  fmt::print("{}: {} parameters in {} tensors ({})\n", to.string(), parameter_count(model.config.llama), types.size(),
             fmt::join(counts, ", "));
  for (const auto& [pair, count] : changed)
    fmt::print("{} of them were {}, which cannot be written here, and are {} now; --type says otherwise\n", count,
               type_layout(pair.first).name, type_layout(pair.second).name);
}

}  // namespace

int run_convert(const ConvertOptions& options) {
  const fs::path from = options.from, to = options.to;
  const ModelForm form = to.extension() == ".gguf" ? ModelForm::gguf : ModelForm::folder;
  const auto wanted = options.type.empty() ? std::nullopt : std::optional(type_of_name(options.type));
  if (wanted) require_type(form, *wanted);
  require_free(to, form, options.overwrite);

  Model model = open_model(from);
  const bool is_file = !fs::is_directory(from);
  if (!is_file)  // config.json names the first token that ends a text, generation_config.json all of them
    for (const TokenId id : read_generation_config(from, model.config.llama.vocabulary_size).end_of_text)
      if (!std::ranges::count(model.config.end_of_text, id)) model.config.end_of_text.push_back(id);
  if (options.kv_heads) {
    model.weights = group_heads(model.weights, *options.kv_heads);
    model.config.llama = model.weights.config();
  }
  const StoredTypes types = types_to_write(model, form, wanted);
  if (form == ModelForm::folder) {
    save_folder(to, model, types, from);
  } else {
    const auto metadata = is_file && is_gguf(from) ? std::optional<GgufFile>(from) : std::nullopt;
    const auto chat = model.tokenizer ? find_chat_template(from, model) : std::nullopt;
    save_gguf(to, model, types, metadata ? &*metadata : nullptr, chat ? std::optional(chat->text) : std::nullopt);
  }
  print_result(to, model, types, wanted.has_value());
  return 0;
}

}  // namespace cria
