// Hugging Face's tokenizer.json: https://huggingface.co/docs/tokenizers. What Tokenizer cannot do is refused by name,
// so a file is never half understood.
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "chapters/01-bpe/token_text.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

using Json = nlohmann::json;                 // to read: finds a key quickly
using OrderedJson = nlohmann::ordered_json;  // to write: keeps the order

OrderedJson byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

OrderedJson pre_tokenizer_of(const BpeModel& model) {
  if (model.alphabet == Alphabet::characters) return nullptr;
  if (model.pattern != SplitPattern::llama3) return byte_level(model.pattern == SplitPattern::gpt2);
  const OrderedJson split = {{"type", "Split"},
                             {"pattern", {{"Regex", split_regex(model.pattern)}}},
                             {"behavior", "Isolated"},
                             {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", OrderedJson::array({split, byte_level(false)})}};
}

/// `begin_of_text` in front of every text, as Llama 3 has it, and as a cria model has been trained.
OrderedJson post_processor_of(const BpeModel& model) {
  const std::size_t id = model.vocabulary.find(begin_of_text);
  if (id == ByteStrings::npos) return nullptr;
  const OrderedJson begin = {{"SpecialToken", {{"id", begin_of_text}, {"type_id", 0}}}};
  const auto sequence = [](const char* name, int type) {
    return OrderedJson{{"Sequence", {{"id", name}, {"type_id", type}}}};
  };
  return {{"type", "TemplateProcessing"},
          {"single", OrderedJson::array({begin, sequence("A", 0)})},
          {"pair", OrderedJson::array({begin, sequence("A", 0), begin, sequence("B", 1)})},
          {"special_tokens", {{begin_of_text, {{"id", begin_of_text}, {"ids", {id}}, {"tokens", {begin_of_text}}}}}}};
}

void refuse_unless(bool condition, const std::string& reason) {
  if (!condition) throw UserError(reason);
}

/// Absent, null, false and "" are all "no".
bool is_set(const Json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && !value->is_null() && *value != false && *value != "";
}

void read_pre_tokenizer(const Json& json, BpeModel& model) {
  if (json.is_null()) {
    model.alphabet = Alphabet::characters;
    return;
  }
  const std::string type = json.at("type");
  if (type == "ByteLevel") {
    refuse_unless(!json.value("add_prefix_space", true), "add_prefix_space is not supported");
    if (json.value("use_regex", true)) model.pattern = SplitPattern::gpt2;
  } else if (type == "Sequence" && json.at("pretokenizers").size() == 2) {
    const Json &split = json.at("pretokenizers")[0], &bytes = json.at("pretokenizers")[1];
    refuse_unless(split.at("type") == "Split" && bytes.at("type") == "ByteLevel" && !bytes.value("use_regex", true) &&
                      !bytes.value("add_prefix_space", true) && split.at("behavior") == "Isolated" &&
                      !split.value("invert", false),
                  "its pre_tokenizer is not Split and ByteLevel as in Llama 3");
    const std::string regex = split.at("pattern").value("Regex", "");
    for (SplitPattern pattern : {SplitPattern::gpt2, SplitPattern::llama3})
      if (regex == split_regex(pattern)) model.pattern = pattern;
    refuse_unless(model.pattern != SplitPattern::none, "its split pattern is neither GPT-2's nor Llama 3's: " + regex);
  } else {
    throw UserError("its pre_tokenizer " + type + " is not supported");
  }
}

/// nlohmann would make an id of 1.5, true or 4294967297 as well.
TokenId read_id(const Json& id) {
  refuse_unless(id.is_number_unsigned() && id <= std::numeric_limits<TokenId>::max(),
                "a token's id is " + id.dump() + ", expected a whole number");
  return id;
}

TokenId id_of(const BpeModel& model, const std::string& token) {
  const std::size_t id = model.vocabulary.find(token);
  refuse_unless(id != ByteStrings::npos, "a merge names \"" + token + "\", which is not in the vocabulary");
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
      refuse_unless(space != std::string::npos, "merge \"" + text + "\" does not name two tokens");
      left = text.substr(0, space), right = text.substr(space + 1);
    } else {
      refuse_unless(merge.size() == 2, "a merge does not name two tokens");
      left = merge[0], right = merge[1];
    }
    left = from_json_string(left, model.alphabet), right = from_json_string(right, model.alphabet);
    const Merge& made =
        model.merges.emplace_back(Merge{id_of(model, left), id_of(model, right), id_of(model, left + right)});
    refuse_unless(!special[static_cast<std::size_t>(made.result)], "a merge makes the special token " + left + right);
  }
}

BpeModel parse(const std::string& text) {
  const Json json = Json::parse(text);
  const Json& bpe = json.at("model");
  refuse_unless(bpe.value("type", "BPE") == "BPE", "its model is " + bpe.value("type", "") + ", not BPE");
  refuse_unless(!is_set(json, "normalizer"), "it has a normalizer, which is not supported");
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"})
    refuse_unless(!is_set(bpe, key), std::string("its model has ") + key + ", which is not supported");

  BpeModel model;
  model.ignore_merges = bpe.value("ignore_merges", false);
  read_pre_tokenizer(json.contains("pre_tokenizer") ? json["pre_tokenizer"] : Json(), model);

  std::map<TokenId, std::string> tokens;
  for (const auto& [token, id] : bpe.at("vocab").items())
    if (!tokens.emplace(read_id(id), from_json_string(token, model.alphabet)).second)
      throw UserError("two tokens have the id " + id.dump());
  for (const Json& added : json.value("added_tokens", Json::array())) {
    const TokenId id = read_id(added.at("id"));
    for (const char* key : {"lstrip", "rstrip", "single_word"})
      refuse_unless(!is_set(added, key), std::string("an added token has ") + key + ", which is not supported");
    tokens[id] = added.at("content");  // plain text, whatever the vocabulary's alphabet
    model.special_tokens.push_back(id);
  }
  for (const auto& [id, token] : tokens) {
    const std::string number = std::to_string(model.vocabulary.size());
    refuse_unless(id == static_cast<TokenId>(model.vocabulary.size()), "its vocabulary has no token " + number);
    refuse_unless(!token.empty() && model.vocabulary.insert(token) == static_cast<std::size_t>(id),
                  "token " + number + " is empty or there twice");
  }
  read_merges(bpe.at("merges"), model);
  return model;
}

}  // namespace

BpeModel load_tokenizer_json(const std::filesystem::path& file_or_folder) {
  const auto file = is_directory(file_or_folder) ? file_or_folder / "tokenizer.json" : file_or_folder;
  const std::string text = read_file(file);
  try {
    return parse(text);
  } catch (const UserError& error) {
    throw UserError(file.string() + ": " + error.what());
  } catch (const nlohmann::json::exception& error) {
    throw UserError(file.string() + " is damaged, or no tokenizer.json: " + error.what());
  }
}

std::string tokenizer_json(const BpeModel& model) {
  const auto string_of = [&](TokenId id) {
    return to_json_string(model.vocabulary[static_cast<std::size_t>(id)], model.alphabet);
  };
  std::vector<bool> special(model.vocabulary.size());
  OrderedJson added = OrderedJson::array(), vocabulary = OrderedJson::object(), merges = OrderedJson::array();
  for (TokenId id : model.special_tokens) {
    special[static_cast<std::size_t>(id)] = true;
    added.push_back({{"id", id},
                     {"content", model.vocabulary[static_cast<std::size_t>(id)]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  // An ordered object looks a key up by walking over all before it; these are distinct, so they are appended.
  auto& entries = vocabulary.get_ref<OrderedJson::object_t&>();
  for (TokenId id = 0; id < static_cast<TokenId>(special.size()); ++id)
    if (!special[static_cast<std::size_t>(id)]) entries.emplace_back(string_of(id), id);
  for (const Merge& merge : model.merges) merges.push_back(string_of(merge.left) + " " + string_of(merge.right));

  const OrderedJson decoder = model.alphabet == Alphabet::bytes ? byte_level(true) : OrderedJson{{"type", "Fuse"}};
  const OrderedJson bpe = {{"type", "BPE"},
                           {"dropout", nullptr},
                           {"unk_token", nullptr},
                           {"continuing_subword_prefix", nullptr},
                           {"end_of_word_suffix", nullptr},
                           {"fuse_unk", false},
                           {"byte_fallback", false},
                           {"ignore_merges", model.ignore_merges},
                           {"vocab", std::move(vocabulary)},
                           {"merges", std::move(merges)}};
  const OrderedJson json = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", added},
                            {"normalizer", nullptr},
                            {"pre_tokenizer", pre_tokenizer_of(model)},
                            {"post_processor", post_processor_of(model)},
                            {"decoder", decoder},
                            {"model", bpe}};
  return json.dump(1) + "\n";
}

void save_tokenizer(const BpeModel& model, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw UserError("cannot create " + folder.string() + ": " + error.message());
  // Without a class, transformers takes that of LLaMA 1, and adds its special tokens.
  OrderedJson config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  if (model.vocabulary.find(begin_of_text) != ByteStrings::npos) config["bos_token"] = begin_of_text;
  if (model.vocabulary.find(end_of_text) != ByteStrings::npos) config["eos_token"] = end_of_text;
  write_file_atomically(folder / "tokenizer_config.json", config.dump(1) + "\n");
  write_file_atomically(folder / "tokenizer.json", tokenizer_json(model));
}

}  // namespace cria
