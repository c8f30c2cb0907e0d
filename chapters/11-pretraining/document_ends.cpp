// Chapter 11, the tokens that begin and end a document.
#include "chapters/11-pretraining/document_ends.hpp"

#include "chapters/11-pretraining/json_keys.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

// A text, or an object with the text as its "content".
std::optional<TokenId> named(const JsonKeys& json, const char* key, const Tokenizer& tokenizer) {
  if (!json.has(key)) return std::nullopt;
  const auto& value = json.value(key);
  const auto& text = value.is_object() && value.contains("content") ? value["content"] : value;
  if (!text.is_string()) json.fail(std::string(key) + " is " + shown_json(value) + ", expected a token");
  return tokenizer.special_id(text.get<std::string>());
}

}  // namespace

DocumentEnds document_ends(const Tokenizer& tokenizer, const std::filesystem::path& from) {
  DocumentEnds ends{tokenizer.bos_id(), tokenizer.eos_id()};
  const std::filesystem::path folder = std::filesystem::is_directory(from) ? from : from.parent_path();
  if (!from.empty() && std::filesystem::exists(folder / "tokenizer_config.json")) {
    const JsonKeys json(folder / "tokenizer_config.json");
    if (const auto begin = named(json, "bos_token", tokenizer)) ends.begin = begin;
    if (const auto end = named(json, "eos_token", tokenizer)) ends.end = end;
  }
  if (!ends.begin) ends.begin = ends.end;
  if (!ends.end) ends.end = ends.begin;
  return ends;
}

}  // namespace cria
