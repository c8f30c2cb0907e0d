// Hugging Face's tokenizer.json: https://huggingface.co/docs/tokenizers. What Tokenizer cannot do is refused by name,
// so a file is never half understood. tokenizer_json_write.cpp writes them.
#include <limits>
#include <map>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/token_text.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/01-bpe/tokenizer_json_parts.hpp"
#include "lib/base/with_name.hpp"
#include "lib/formats/json.hpp"

namespace cria {

namespace tokenizer_json_parts {

bool is_set(const Json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && !value->is_null() && *value != false && *value != "";
}

bool flag_of(const Json& object, const char* key, bool otherwise) {
  const auto value = object.find(key);
  if (value == object.end()) return otherwise;
  refuse_unless(value->is_boolean(),
                std::string("its ") + key + " is " + shown_json(*value) + ", expected true or false");
  return *value;
}

std::string text_of(const Json& object, const char* key, const std::string& otherwise) {
  const auto value = object.find(key);
  if (value == object.end()) return otherwise;
  refuse_unless(value->is_string(), std::string("its ") + key + " is " + shown_json(*value) + ", expected a text");
  return *value;
}

std::vector<Json> steps_of(const Json& json, const char* key, const char* steps) {
  if (!is_set(json, key)) return {};
  const Json& step = json[key];
  refuse_unless(step.is_object() && step.contains("type") && step["type"].is_string(),
                std::string("its ") + key + " is " + shown_json(step) + ", expected an object with a \"type\"");
  if (step["type"] != "Sequence") return {step};
  refuse_unless(step.contains(steps) && step[steps].is_array(),
                std::string("its ") + key + " is a Sequence without a list of " + steps);
  std::vector<Json> all;
  for (const Json& inner : step[steps])  // which may be sequences themselves
    for (const Json& one : steps_of({{key, inner}}, key, steps)) all.push_back(one);
  return all;
}

}  // namespace tokenizer_json_parts

namespace {

using namespace tokenizer_json_parts;

/// The bytes of a token that is written like this in the vocabulary.
std::string bytes_of(const std::string& written, const BpeModel& model) {
  return model.sentencepiece ? with_plain_blanks(written) : from_json_string(written, model.alphabet);
}

void read_composing(const Json& json, BpeModel& model) {
  for (const Json& step : steps_of(json, "normalizer", "normalizers")) {
    refuse_unless(step.at("type") == "NFC",
                  "its normalizer " + shown_json(step.at("type")) + " is not supported, expected \"NFC\" or none");
    model.composes = true;
  }
}

/// Nothing before ByteLevel, or a Split by a known expression, or Digits; without any step the alphabet is characters.
void read_split_pattern(const Json& json, BpeModel& model) {
  const std::vector<Json> steps = steps_of(json, "pre_tokenizer", "pretokenizers");
  if (steps.empty()) {
    model.alphabet = Alphabet::characters;
    return;
  }
  for (const Json& step : steps) {
    const Json& type = step.at("type");
    refuse_unless(type == "ByteLevel" || type == "Split" || type == "Digits",
                  "its pre_tokenizer " + shown_json(type) + " is not supported");
  }
  const Json &first = steps.front(), &bytes = steps.back();
  refuse_unless(bytes.at("type") == "ByteLevel" && steps.size() <= 2,
                "its pre_tokenizer is not ByteLevel, nor one Split or Digits and then ByteLevel");
  refuse_unless(!flag_of(bytes, "add_prefix_space", true), "add_prefix_space is not supported");
  const bool use_regex = flag_of(bytes, "use_regex", true);
  if (steps.size() == 1) {
    if (use_regex) model.pattern = SplitPattern::gpt2;
  } else if (first.at("type") == "Digits") {
    refuse_unless(flag_of(first, "individual_digits", false) && use_regex,
                  "its pre_tokenizer is Digits and ByteLevel, but not each digit by itself and then GPT-2's pattern");
    model.pattern = SplitPattern::smollm;
  } else {
    // What the expression matches are the pieces. It matches everywhere, so nothing is removed between them.
    const std::string behavior = text_of(first, "behavior", "");
    const bool keeps_matches = behavior == "Isolated" || (behavior == "Removed" && flag_of(first, "invert", false));
    refuse_unless(first.at("type") == "Split" && !use_regex && keeps_matches,
                  "its pre_tokenizer is not Split and ByteLevel as in Llama 3");
    refuse_unless(first.contains("pattern") && first["pattern"].is_object(), "its Split has no pattern");
    const std::string regex = text_of(first["pattern"], "Regex", "");
    const auto pattern = split_pattern_of(regex);
    refuse_unless(pattern.has_value(), "its split pattern is not known: " + in_quotes(regex));
    model.pattern = *pattern;
  }
}

/// nlohmann would make an id of 1.5, true or 4294967297 as well.
TokenId read_id(const Json& id) {
  refuse_unless(id.is_number_unsigned() && id <= std::numeric_limits<TokenId>::max(),
                "a token's id is " + shown_json(id) + ", expected a whole number");
  return id;
}

TokenId id_of(const BpeModel& model, const std::string& token) {
  const std::size_t id = model.vocabulary.find(token);
  refuse_unless(id != ByteStrings::npos, "a merge names " + in_quotes(token) + ", which is not in the vocabulary");
  return static_cast<TokenId>(id);
}

void read_merges(const Json& merges, BpeModel& model) {
  std::vector<bool> special(model.vocabulary.size());
  for (const TokenId id : model.special_tokens) special[static_cast<std::size_t>(id)] = true;
  for (const Json& merge : merges) {  // "a b", or since 2024 ["a", "b"]
    std::string left, right;
    if (merge.is_string()) {
      const std::string text = merge;
      const std::size_t space = text.find(' ');
      refuse_unless(space != std::string::npos && text.find(' ', space + 1) == std::string::npos,
                    "merge " + in_quotes(text) + " does not name two tokens");
      left = text.substr(0, space), right = text.substr(space + 1);
    } else {
      refuse_unless(merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string(),
                    "a merge does not name two tokens");
      left = merge[0], right = merge[1];
    }
    left = bytes_of(left, model), right = bytes_of(right, model);
    const Merge& made =
        model.merges.emplace_back(Merge{id_of(model, left), id_of(model, right), id_of(model, left + right)});
    refuse_unless(!special[static_cast<std::size_t>(made.result)],
                  "a merge makes the special token " + in_quotes(left + right));
  }
}

/// Token by id, from "vocab" and "added_tokens"; the latter become the model's special tokens.
std::map<TokenId, std::string> read_tokens(const Json& json, BpeModel& model) {
  std::map<std::string, TokenId> added_ids;
  const Json added_tokens = json.value("added_tokens", Json::array());
  refuse_unless(added_tokens.is_array(), "its added_tokens are no list");
  for (const Json& added : added_tokens) {
    refuse_unless(added.is_object(), "an added token is no object");
    for (const char* key : {"lstrip", "rstrip", "single_word"})
      refuse_unless(!is_set(added, key), std::string("an added token has ") + key + ", which is not supported");
    refuse_unless(added.contains("id"), "an added token has no id");
    const TokenId id = read_id(added["id"]);
    refuse_unless(added.contains("content"), "an added token has no content");
    const std::string content = text_of(added, "content", "");
    refuse_unless(added_ids.emplace(content, id).second, "the added token " + in_quotes(content) + " is there twice");
    model.special_tokens.push_back(id);
  }
  std::map<TokenId, std::string> tokens;
  const Json& bpe = json.at("model");
  refuse_unless(bpe.contains("vocab") && bpe["vocab"].is_object(),
                "its vocabulary is no object of tokens and their ids");
  for (const auto& [token, json_id] : bpe["vocab"].items()) {
    const TokenId id = read_id(json_id);
    const auto added = added_ids.find(token);  // these are plain text in the vocabulary, too
    refuse_unless(added == added_ids.end() || added->second == id,
                  "the token " + in_quotes(token) + " has two ids: " + std::to_string(id) + " and as an added token " +
                      std::to_string(added == added_ids.end() ? id : added->second));
    const std::string bytes = added == added_ids.end() ? bytes_of(token, model) : token;
    refuse_unless(tokens.emplace(id, bytes).second, "two tokens have the id " + std::to_string(id));
  }
  for (const auto& [content, id] : added_ids)
    refuse_unless(tokens.emplace(id, content).first->second == content, "two tokens have the id " + std::to_string(id));
  return tokens;
}

BpeModel parse(const Json& json) {
  refuse_unless(json.is_object() && json.contains("model") && json["model"].is_object(), "it has no \"model\"");
  const Json& bpe = json["model"];
  const std::string type = text_of(bpe, "type", "BPE");
  refuse_unless(type == "BPE", "its model is " + in_quotes(type) + ", not BPE");
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
    refuse_unless(!is_set(bpe, key), std::string("its model has ") + key + ", which is not supported");

  BpeModel model;
  model.ignore_merges = flag_of(bpe, "ignore_merges", false);
  if (is_sentencepiece_json(json)) {
    refuse_unless(!model.ignore_merges, "its model has ignore_merges, which is not supported with blanks as \"▁\"");
    read_blanks(json, model);
  } else {
    read_composing(json, model);
    read_split_pattern(json, model);
  }
  const std::map<TokenId, std::string> tokens = read_tokens(json, model);
  for (const auto& [id, token] : tokens) {
    const std::string number = std::to_string(model.vocabulary.size());
    refuse_unless(id == static_cast<TokenId>(model.vocabulary.size()), "its vocabulary has no token " + number);
    refuse_unless(!token.empty() && model.vocabulary.insert(token) == static_cast<std::size_t>(id),
                  "token " + number + " is empty or there twice");
  }
  refuse_unless(bpe.contains("merges") && bpe["merges"].is_array(), "its merges are no list");
  read_merges(bpe["merges"], model);
  if (model.sentencepiece) read_fallback(bpe, model);
  return model;
}

}  // namespace

BpeModel load_tokenizer_json(const std::filesystem::path& file_or_folder) {
  const auto file = is_directory(file_or_folder) ? file_or_folder / "tokenizer.json" : file_or_folder;
  const Json json = read_json(file);
  try {
    return with_name(file, [&] { return parse(json); });
  } catch (const nlohmann::json::exception& error) {
    const std::string_view what = error.what();  // "[json.exception.type_error.302] type must be …"
    throw UserError(shown_path(file) +
                    " is damaged, or no tokenizer.json: " + std::string(what.substr(what.find("] ") + 2)));
  }
}

}  // namespace cria
