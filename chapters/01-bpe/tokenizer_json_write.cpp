// Writes a tokenizer.json such that Hugging Face's tokenizers and transformers give every token the same id.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "chapters/01-bpe/sentencepiece.hpp"
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

OrderedJson replace(const char* kind, const char* from, const char* by) {
  return {{"type", "Replace"}, {"pattern", {{kind, from}}}, {"content", by}};
}

/// Hugging Face's newer form, which puts no blank where there is one.
bool uses_metaspace(const BpeModel& model) {
  if (!model.sentencepiece) return false;
  return model.sentencepiece->adds_only_where_none || model.pattern == SplitPattern::each_blank;
}

/// SentencePiece's kind has Hugging Face's older form, as in the files of Llama 2: only this puts a blank in front of a
/// text that begins with one. It puts one behind special tokens too.
OrderedJson normalizer_of(const BpeModel& model) {
  if (model.composes) return {{"type", "NFC"}};
  if (!model.sentencepiece || uses_metaspace(model)) return nullptr;
  OrderedJson steps = OrderedJson::array();
  if (model.sentencepiece->collapses_blanks)
    steps = {replace("Regex", blanks_at_ends, ""), replace("Regex", several_blanks, " ")};
  if (model.sentencepiece->adds_blank) steps.push_back({{"type", "Prepend"}, {"prepend", written_blank}});
  steps.push_back(replace("String", " ", written_blank));
  return {{"type", "Sequence"}, {"normalizers", steps}};
}

OrderedJson metaspace(const BpeModel& model) {
  const SentencePieceRules& rules = *model.sentencepiece;
  return {{"type", "Metaspace"},
          {"replacement", written_blank},
          {"prepend_scheme", !rules.adds_blank            ? "never"
                             : rules.adds_behind_specials ? "always"
                                                          : "first"},
          {"split", model.pattern == SplitPattern::each_blank}};
}

OrderedJson pre_tokenizer_of(const BpeModel& model) {
  if (uses_metaspace(model)) return metaspace(model);
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

std::string begin_token(const BpeModel& model) { return model.sentencepiece ? "<s>" : begin_of_text; }
std::string end_token(const BpeModel& model) { return model.sentencepiece ? "</s>" : end_of_text; }

/// The begin token in front of every text, as Llama has it, and as a cria model has been trained.
OrderedJson post_processor_of(const BpeModel& model) {
  const std::string token = begin_token(model);
  const std::size_t id = model.vocabulary.find(token);
  if (id == ByteStrings::npos) return nullptr;
  const OrderedJson begin = {{"SpecialToken", {{"id", token}, {"type_id", 0}}}};
  const auto sequence = [](const char* name, int type) {
    return OrderedJson{{"Sequence", {{"id", name}, {"type_id", type}}}};
  };
  return {{"type", "TemplateProcessing"},
          {"single", OrderedJson::array({begin, sequence("A", 0)})},
          {"pair", OrderedJson::array({begin, sequence("A", 0), begin, sequence("B", 1)})},
          {"special_tokens", {{token, {{"id", token}, {"ids", {id}}, {"tokens", {token}}}}}}};
}

OrderedJson decoder_of(const BpeModel& model) {
  if (model.alphabet == Alphabet::bytes) return byte_level(true);
  const OrderedJson fuse = {{"type", "Fuse"}};
  if (!model.sentencepiece) return fuse;
  OrderedJson steps = {replace("String", written_blank, " "), {{"type", "ByteFallback"}}, fuse};
  if (model.sentencepiece->adds_blank)
    steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", steps}};
}

/// What each token is called in the file. Special tokens are part of the vocabulary too, as plain text: those outside
/// it Hugging Face would number anew, from the vocabulary's size on. Throws UserError where two tokens have one name.
std::vector<std::string> strings_of(const BpeModel& model) {
  std::vector<std::string> strings;
  for (std::size_t id = 0; id < model.vocabulary.size(); ++id)
    strings.push_back(model.sentencepiece ? with_written_blanks(model.vocabulary[id])
                                          : to_json_string(model.vocabulary[id], model.alphabet));
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
  const auto has_space = [](const std::string& text) { return text.find(' ') != text.npos; };
  const bool pairs = std::ranges::any_of(
      model.merges, [&](const Merge& merge) { return has_space(left(merge)) || has_space(right(merge)); });
  OrderedJson merges = OrderedJson::array();
  for (const Merge& merge : model.merges)
    merges.push_back(pairs ? OrderedJson{left(merge), right(merge)} : OrderedJson(left(merge) + " " + right(merge)));
  return merges;
}

}  // namespace

std::string tokenizer_json(const BpeModel& model) {
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

  const SentencePieceRules* rules = model.sentencepiece ? &*model.sentencepiece : nullptr;
  const OrderedJson bpe = {
      {"type", "BPE"},
      {"dropout", nullptr},
      {"unk_token", rules && rules->unknown ? OrderedJson(strings[std::size_t(*rules->unknown)]) : OrderedJson()},
      {"continuing_subword_prefix", nullptr},
      {"end_of_word_suffix", nullptr},
      {"fuse_unk", rules != nullptr},
      {"byte_fallback", rules && !rules->byte_tokens.empty()},
      {"ignore_merges", model.ignore_merges},
      {"vocab", std::move(vocabulary)},
      {"merges", merges_of(model, strings)}};
  const OrderedJson json = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", added},
                            {"normalizer", normalizer_of(model)},
                            {"pre_tokenizer", pre_tokenizer_of(model)},
                            {"post_processor", post_processor_of(model)},
                            {"decoder", decoder_of(model)},
                            {"model", bpe}};
  return json.dump(1) + "\n";
}

void save_tokenizer(const BpeModel& model, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw UserError("cannot create " + folder.string() + ": " + error.message());
  // Without a class, transformers takes that of LLaMA 1, and adds its special tokens. And from version 5 on it makes
  // LlamaTokenizer's blanks anew, by Metaspace, whatever stands in the tokenizer.json.
  OrderedJson config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  const auto has = [&](const std::string& token) { return model.vocabulary.find(token) != ByteStrings::npos; };
  if (has(begin_token(model))) config["bos_token"] = begin_token(model);
  if (has(end_token(model))) config["eos_token"] = end_token(model);
  if (model.sentencepiece && model.sentencepiece->unknown)
    config["unk_token"] = model.vocabulary[static_cast<std::size_t>(*model.sentencepiece->unknown)];
  write_file_atomically(folder / "tokenizer_config.json", config.dump(1) + "\n");
  write_file_atomically(folder / "tokenizer.json", tokenizer_json(model));
}

}  // namespace cria
