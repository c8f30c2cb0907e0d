#include "chapters/12-open-weights/save_folder.hpp"

#include <nlohmann/json.hpp>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/12-open-weights/named_scaling.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* beside_the_weights[] = {
    "tokenizer.json",  "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "tokenizer.model", "chat_template.jinja",   "generation_config.json"};

void write_json(const fs::path& file, const OrderedJson& json) { write_file_atomically(file, json.dump(2) + "\n"); }

/// tokenizer.json, and in tokenizer_config.json the names of the tokens that begin and end a text, and the template.
void write_tokenizer(const fs::path& folder, const Model& model, const fs::path& from) {
  save_tokenizer(model.tokenizer->model(), folder);
  OrderedJson config = OrderedJson::parse(read_file(folder / "tokenizer_config.json"));
  const auto name = [&](const char* key, TokenId id) { config[key] = std::string(model.tokenizer->piece(id)); };
  if (model.config.begin_of_text) name("bos_token", *model.config.begin_of_text);
  if (!model.config.end_of_text.empty()) name("eos_token", model.config.end_of_text.front());
  write_json(folder / "tokenizer_config.json", config);
  if (auto chat = find_chat_template(from, model)) {
    chat->end_token.clear();  // named above
    write_chat_template(folder, *chat);
  }
}

/// The tokens at which transformers ends a text, of which config.json's are only defaults.
void write_generation_config(const fs::path& folder, const ModelConfig& config) {
  OrderedJson json = OrderedJson::object();
  if (config.begin_of_text) json["bos_token_id"] = *config.begin_of_text;
  if (!config.end_of_text.empty()) json["eos_token_id"] = config.end_of_text;
  write_json(folder / "generation_config.json", json);
}

}  // namespace

void save_folder(const fs::path& folder, const Model& model, const StoredTypes& types, const fs::path& from) {
  write_folder_atomically(folder, [&](const fs::path& temporary) {
    ModelConfig config = model.config;
    config.llama.rope_scaling = named_scaling(config.llama);
    write_config(temporary / "config.json", config, main_type(model.weights, types));
    if (fs::exists(from / "config.json")) {
      for (const char* name : beside_the_weights)
        if (fs::exists(from / name)) write_file_atomically(temporary / name, read_file(from / name));
    } else {
      if (model.tokenizer) write_tokenizer(temporary, model, from);
      write_generation_config(temporary, model.config);
    }
    write_weights(temporary / "model.safetensors", model.weights, types);
  });
}

}  // namespace cria
