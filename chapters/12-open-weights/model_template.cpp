#include "chapters/12-open-weights/model_template.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "chapters/12-open-weights/chat_format.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/gguf.hpp"
#include "lib/formats/json.hpp"
#include "lib/jinja/budget.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string text_of(const ModelView& model, std::optional<TokenId> id) {
  return id && size_t(*id) < model.tokenizer->vocabulary_size() ? std::string(model.tokenizer->piece(*id)) : "";
}

std::optional<ChatTemplateSource> find_in_gguf(const fs::path& path, const ModelView& model) {
  const GgufFile file(path);
  const GgufValue* value = file.find("tokenizer.chat_template");
  if (!value) return std::nullopt;
  if (!value->text()) throw UserError(fmt::format("{}: tokenizer.chat_template is no text", path.string()));
  ChatTemplateSource source = usual_template(*value->text(), model);
  const GgufValue* begin = file.find("tokenizer.ggml.bos_token_id");  // also of a model that does not put it in front
  if (const auto id = begin ? begin->whole() : std::nullopt; id && *id < model.tokenizer->vocabulary_size())
    source.begin_token = text_of(model, TokenId(*id));
  return source;
}

/// A text, or a list of texts with names, of which "default" is for conversations.
std::optional<std::string> template_in(const Json& config, const std::string& file) {
  if (!config.contains("chat_template") || config["chat_template"].is_null()) return std::nullopt;
  const Json& value = config["chat_template"];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array())
    for (const Json& item : value)
      if (item.is_object() && item.value("name", Json()) == "default" && item.value("template", Json()).is_string())
        return item["template"].get<std::string>();
  throw UserError(fmt::format("{}: chat_template is {}, expected a text, or a list with one named \"default\"", file,
                              shown_json(value)));
}

std::optional<ChatTemplateSource> find_in_folder(const fs::path& folder, const ModelView& model) {
  const fs::path config_file = folder / "tokenizer_config.json", template_file = folder / "chat_template.jinja";
  const Json config = fs::exists(config_file) ? read_json(config_file) : Json::object();
  if (!config.is_object()) throw UserError(config_file.string() + ": this is not a JSON object");
  std::optional<std::string> text;
  if (fs::exists(template_file))
    text = read_file(template_file, jinja::longest_source);
  else
    text = template_in(config, config_file.string());
  if (!text) return std::nullopt;
  ChatTemplateSource source = usual_template(*text, model);
  source.begin.reset();  // as transformers has it, what the template writes is all
  for (const auto& [key, token] : {std::pair("bos_token", &source.begin_token), {"eos_token", &source.end_token}}) {
    Json value = config.value(key, Json());
    if (value.is_object()) value = value.value("content", Json());
    if (value.is_string()) *token = value.get<std::string>();
  }
  return source;
}

std::string all_names() {
  std::vector<std::string_view> names;  // clang 14 does not compile std::views
  for (const ChatFormat& format : chat_formats()) names.push_back(format.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

ChatTemplateSource usual_template(std::string_view text, const ModelView& model) {
  const std::vector<TokenId>& ends = model.config.end_of_text;
  const auto begin = model.config.begin_of_text;
  const auto last = ends.empty() ? std::nullopt : std::optional(ends.front());
  return {std::string(text), text_of(model, begin ? begin : model.tokenizer->bos_id()),
          text_of(model, last ? last : model.tokenizer->eos_id()), begin};
}

void write_chat_template(const fs::path& folder, const ChatTemplateSource& source) {
  const fs::path file = folder / "tokenizer_config.json";
  auto config = nlohmann::ordered_json::parse(read_file(file));
  if (!source.begin_token.empty()) config["bos_token"] = source.begin_token;
  if (!source.end_token.empty()) config["eos_token"] = source.end_token;
  config["chat_template"] = source.text;
  write_file_atomically(file, config.dump(2) + "\n");
}

std::optional<ChatTemplateSource> find_chat_template(const fs::path& path, const ModelView& model) {
  if (fs::is_directory(path)) return find_in_folder(path, model);
  return is_gguf(path) ? find_in_gguf(path, model) : std::nullopt;
}

ChatTemplate open_chat_template(const fs::path& path, const ModelView& model, const std::string& chosen) {
  if (!model.tokenizer) throw UserError(path.string() + " has no tokenizer, expected one to turn text into tokens");
  if (const ChatFormat* format = find_chat_format(chosen)) return ChatTemplate(usual_template(format->source, model));
  if (!chosen.empty()) {
    if (!fs::exists(chosen))
      throw UserError(fmt::format("--template {} is neither a file nor one of {}", in_quotes(chosen), all_names()));
    try {
      return ChatTemplate(usual_template(read_file(chosen, jinja::longest_source), model));
    } catch (const UserError& error) {
      throw UserError(fmt::format("{}: {}", chosen, error.what()));
    }
  }
  const auto own = find_chat_template(path, model);
  if (!own)
    throw UserError(
        fmt::format("{} brings no chat template; --template takes a file, or one of {}", path.string(), all_names()));
  try {
    return ChatTemplate(*own);
  } catch (const UserError& error) {
    const ChatFormat* format = recognise_chat_format(own->text);
    throw UserError(fmt::format("{}: {}; --template {} serves instead", path.string(), error.what(),
                                format ? format->name : "NAME|FILE"));
  }
}

std::vector<TokenId> answer_ends(const ModelView& model) {
  std::vector<TokenId> ends = model.config.end_of_text;
  for (const char* name : {"<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>", "</s>",
                           "<step>", "<|eot|>", "<|end|>", "<end_of_turn>"})
    if (const auto id = model.tokenizer->special_id(name); id && !std::ranges::count(ends, *id)) ends.push_back(*id);
  return ends;
}

}  // namespace cria
