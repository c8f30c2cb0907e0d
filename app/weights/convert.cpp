// cria convert: a model from one form to another.
#include "app/weights/convert.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "app/weights/rewrite.hpp"
#include "chapters/12-open-weights/grouped_heads.hpp"
#include "chapters/12-open-weights/save_folder.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "chapters/15-adapters/llama_adapter_files.hpp"
#include "chapters/15-adapters/merge.hpp"
#include "chapters/15-adapters/peft_files.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

ElementType type_of_name(const std::string& name) {
  if (const auto type = floating_type(name)) return *type;
  throw UserError(fmt::format("--type is {}, expected F32, F16, BF16, Q8_0 or Q4_0", in_quotes(name)));
}

/// What was written, and which matrices had to change their type without being asked to.
void print_result(const fs::path& to, const Model& model, const StoredTypes& types, bool asked) {
  std::map<std::pair<ElementType, ElementType>, size_t> changed;
  model.weights.for_each([&](const std::string& name, const auto& view) {
    const ElementType type = types.at(name);
    const auto stored = model.types.find(name);
    if (!asked && stored != model.types.end() && stored->second != type && view.shape().size() > 1)
      ++changed[{stored->second, type}];
  });
  fmt::print("{}\n", contents_text(to, model, types));
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

  Model model = open_to_rewrite(from);
  if (options.kv_heads) {
    model.weights = group_heads(model.weights, *options.kv_heads);
    model.config.llama = model.weights.config();
  }
  if (!options.adapter.empty()) {
    if (is_llama_adapter(options.adapter))
      throw UserError(options.adapter +
                      " is a LLaMA-Adapter, which cannot be merged, as a Llama has no place for it; "
                      "run the model with --adapter");
    model.weights = merged(model.weights, load_adapter(options.adapter, model.config.llama));
    model.config.llama = model.weights.config();
  }
  const StoredTypes types = types_to_write(model, form, wanted);
  if (form == ModelForm::folder)
    save_folder(to, model, types, from);
  else
    rewrite_as_gguf(from, to, model, types);
  print_result(to, model, types, wanted.has_value());
  return 0;
}

}  // namespace cria
