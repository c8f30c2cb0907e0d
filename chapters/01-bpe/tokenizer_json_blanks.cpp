// SentencePiece's kind of tokenizer.json, as transformers' converters write it for LlamaTokenizerFast.
//
// There are two ways to the blank in front of a text. A normalizer puts "▁" there (Prepend) and writes blanks as "▁"
// (Replace): so it is in the files of Llama 1 and 2. Or a pre_tokenizer, Metaspace, does both, but puts no "▁" where
// there is one already, so that " a" is encoded as "a".
#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/tokenizer_json_parts.hpp"
#include "lib/formats/json.hpp"

namespace cria::tokenizer_json_parts {
namespace {

const std::string blank = written_blank;

bool any_step(const std::vector<Json>& steps, std::initializer_list<const char*> types) {
  for (const Json& step : steps)
    for (const char* type : types)
      if (step.at("type") == type) return true;
  return false;
}

bool replaces(const Json& step, const char* kind, const std::string& from, const std::string& by) {
  return step.at("pattern") == Json{{kind, from}} && step.at("content") == by;
}

void read_normalizer(const std::vector<Json>& steps, SentencePieceRules& rules) {
  bool ends = false, runs = false;
  for (const Json& step : steps) {
    const Json& type = step.at("type");
    if (type == "Prepend") {
      refuse_unless(step.at("prepend") == blank, "its normalizer puts " + shown_json(step.at("prepend")) +
                                                     " in front of a text, expected \"" + blank + "\"");
      rules.adds_blank = rules.adds_behind_specials = true;
    } else if (type == "Replace" && replaces(step, "Regex", blanks_at_ends, "")) {
      ends = true;
    } else if (type == "Replace" && replaces(step, "Regex", several_blanks, " ")) {
      runs = true;
    } else {
      refuse_unless(type == "Replace", "its normalizer " + shown_json(type) + " is not supported with blanks as \"" +
                                           blank + "\", expected Prepend and Replace");
      refuse_unless(replaces(step, "String", " ", blank), "its normalizer replaces something else than blanks by \"" +
                                                              blank + "\": " + shown_json(step.at("pattern")));
    }
  }
  refuse_unless(ends == runs, "its normalizer drops some superfluous blanks, expected all or none");
  rules.collapses_blanks = ends;
}

void read_pre_tokenizer(const std::vector<Json>& steps, BpeModel& model) {
  SentencePieceRules& rules = *model.sentencepiece;
  if (steps.empty()) return;
  for (const Json& step : steps)
    refuse_unless(step.at("type") == "Metaspace", "its pre_tokenizer " + shown_json(step.at("type")) +
                                                      " is not supported with blanks as \"" + blank + "\"");
  const Json& step = steps.front();
  refuse_unless(steps.size() == 1, "its pre_tokenizer is Metaspace more than once");
  refuse_unless(!rules.adds_blank, "its normalizer and its pre_tokenizer both put a blank in front of a text");
  refuse_unless(
      step.at("replacement") == blank,
      "its Metaspace writes blanks as " + shown_json(step.at("replacement")) + ", expected \"" + blank + "\"");
  const bool adds = flag_of(step, "add_prefix_space", true);  // files of before 2024 have this instead of a scheme
  const std::string scheme = text_of(step, "prepend_scheme", adds ? "always" : "never");
  refuse_unless(scheme == "always" || scheme == "first" || scheme == "never",
                "its Metaspace has the prepend_scheme " + in_quotes(scheme) + ", expected always, first or never");
  rules.adds_blank = rules.adds_only_where_none = scheme != "never";
  rules.adds_behind_specials = scheme == "always";
  if (flag_of(step, "split", true)) model.pattern = SplitPattern::each_blank;
}

/// Decoding drops the blank that encoding has added, and no other one.
void check_decoder(const std::vector<Json>& steps, const SentencePieceRules& rules) {
  bool drops = false;
  for (const Json& step : steps) {
    const Json& type = step.at("type");
    if (type == "Strip") {
      refuse_unless(step.at("content") == " " && step.at("start") == 1 && step.at("stop") == 0,
                    "its decoder strips something else than one blank in front");
      drops = true;
    } else if (type == "Metaspace") {
      drops = flag_of(step, "add_prefix_space", true) && text_of(step, "prepend_scheme", "always") != "never";
    } else {
      refuse_unless(
          type == "ByteFallback" || type == "Fuse" || (type == "Replace" && replaces(step, "String", blank, " ")),
          "its decoder " + shown_json(type) + " is not supported with blanks as \"" + blank + "\"");
    }
  }
  refuse_unless(steps.empty() || drops == rules.adds_blank,
                drops ? "its decoder drops a blank that encoding does not add"
                      : "its decoder does not drop the blank that encoding adds");
}

}  // namespace

bool is_sentencepiece_json(const Json& json) {
  return is_set(json.at("model"), "byte_fallback") ||
         any_step(steps_of(json, "normalizer", "normalizers"), {"Prepend", "Replace"}) ||
         any_step(steps_of(json, "pre_tokenizer", "pretokenizers"), {"Metaspace"});
}

void read_blanks(const Json& json, BpeModel& model) {
  model.alphabet = Alphabet::characters;
  SentencePieceRules& rules = model.sentencepiece.emplace();
  rules.adds_blank = false;
  const std::vector<Json> normalizer = steps_of(json, "normalizer", "normalizers"),
                          pre_tokenizer = steps_of(json, "pre_tokenizer", "pretokenizers");
  read_normalizer(normalizer, rules);
  read_pre_tokenizer(pre_tokenizer, model);
  bool writes_blanks = !pre_tokenizer.empty();
  for (const Json& step : normalizer) writes_blanks |= step.at("type") == "Replace" && step.at("content") == blank;
  refuse_unless(writes_blanks,
                "its blanks stay blanks, expected a normalizer or pre_tokenizer that makes them \"" + blank + "\"");
  check_decoder(steps_of(json, "decoder", "decoders"), rules);
}

void read_fallback(const Json& bpe, BpeModel& model) {
  SentencePieceRules& rules = *model.sentencepiece;
  if (is_set(bpe, "byte_fallback")) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::size_t id = model.vocabulary.find(piece_of_byte(byte));
      if (id != ByteStrings::npos) rules.byte_tokens.push_back(static_cast<TokenId>(id));
    }
    const std::size_t found = rules.byte_tokens.size();
    refuse_unless(found == 256,
                  "its model has byte_fallback, and only " + std::to_string(found) + " of the tokens <0x00> to <0xFF>");
  }
  if (is_set(bpe, "unk_token")) {
    const std::string unknown = text_of(bpe, "unk_token", "");
    const std::size_t id = model.vocabulary.find(unknown);
    refuse_unless(id != ByteStrings::npos, "its unk_token " + in_quotes(unknown) + " is not in the vocabulary");
    rules.unknown = static_cast<TokenId>(id);
  }
  if (!rules.byte_tokens.empty()) return;
  refuse_unless(rules.unknown.has_value(), "it has neither byte_fallback nor an unk_token for unknown characters");
  refuse_unless(flag_of(bpe, "fuse_unk", false), "its model keeps unknown characters apart (fuse_unk is false)");
}

}  // namespace cria::tokenizer_json_parts
