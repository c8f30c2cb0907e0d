// Writes a tokenizer.json such that Hugging Face's tokenizers and transformers give every token the same id.
#include <nlohmann/json.hpp>
#include <set>

#include "chapters/01-bpe/token_text.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

using OrderedJson = nlohmann::ordered_json;  // keeps the order

OrderedJson byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

OrderedJson pre_tokenizer_of(const BpeModel& model) {
  if (model.alphabet == Alphabet::characters) return nullptr;
  if (model.pattern == SplitPattern::none || model.pattern == SplitPattern::gpt2)
    return byte_level(model.pattern == SplitPattern::gpt2);
  if (model.pattern == SplitPattern::smollm) {
    const OrderedJson digits = {{"type", "Digits"}, {"individual_digits", true}};
    return {{"type", "Sequence"}, {"pretokenizers", OrderedJson::array({digits, byte_level(true)})}};
  }
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

/// What each token is called in the file. Special tokens are part of the vocabulary too, as plain text: those outside
/// it Hugging Face would number anew, from the vocabulary's size on. Throws UserError where two tokens have one name.
std::vector<std::string> strings_of(const BpeModel& model) {
  std::vector<std::string> strings;
  for (std::size_t id = 0; id < model.vocabulary.size(); ++id)
    strings.push_back(to_json_string(model.vocabulary[id], model.alphabet));
  for (TokenId id : model.special_tokens)
    strings[static_cast<std::size_t>(id)] = model.vocabulary[static_cast<std::size_t>(id)];
  std::set<std::string_view> names;
  for (const std::string& name : strings)
    if (!is_utf8(name) || !names.insert(name).second)
      throw UserError("the token " + in_quotes(name) + " cannot stand in a tokenizer.json: " +
                      (is_utf8(name) ? "another one is written like it" : "it is not UTF-8"));
  return strings;
}

/// Each as "a b", which all versions read; as pairs, ["a", "b"], where a token has a space in it.
OrderedJson merges_of(const BpeModel& model, const std::vector<std::string>& strings) {
  const auto left = [&](const Merge& merge) { return strings[static_cast<std::size_t>(merge.left)]; };
  const auto right = [&](const Merge& merge) { return strings[static_cast<std::size_t>(merge.right)]; };
  bool pairs = false;
  for (const Merge& merge : model.merges) pairs |= (left(merge) + right(merge)).find(' ') != std::string::npos;
  OrderedJson merges = OrderedJson::array();
  for (const Merge& merge : model.merges)
    merges.push_back(pairs ? OrderedJson{left(merge), right(merge)} : OrderedJson(left(merge) + " " + right(merge)));
  return merges;
}

}  // namespace

std::string tokenizer_json(const BpeModel& model) {
  if (model.sentencepiece) throw UserError("a SentencePiece tokenizer cannot be written as tokenizer.json yet");
  OrderedJson added = OrderedJson::array();
  for (TokenId id : model.special_tokens)
    added.push_back({{"id", id},
                     {"content", model.vocabulary[static_cast<std::size_t>(id)]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  const std::vector<std::string> strings = strings_of(model);
  OrderedJson vocabulary = OrderedJson::object();
  // An ordered object looks a key up by walking over all before it; these are distinct, so they are appended.
  auto& entries = vocabulary.get_ref<OrderedJson::object_t&>();
  for (std::size_t id = 0; id < strings.size(); ++id) entries.emplace_back(strings[id], id);

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
                           {"merges", merges_of(model, strings)}};
  const OrderedJson json = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", added},
                            {"normalizer", model.composes ? OrderedJson{{"type", "NFC"}} : OrderedJson()},
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
