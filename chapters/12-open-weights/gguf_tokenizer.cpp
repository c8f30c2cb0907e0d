// The tokenizer in a GGUF file's metadata, under tokenizer.ggml.….
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/token_text.hpp"
#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/tensor_names.hpp"
#include "lib/base/check.hpp"
#include "lib/base/with_name.hpp"

namespace cria {
namespace {

using Kind = SentencePieces::Kind;

class Vocabulary {
 public:
  explicit Vocabulary(const GgufFile& file) : file_(file) {
    constexpr size_t most_entries = 1 << 22;
    for (const char* key : {"tokens", "token_type", "scores", "merges"})
      if (const GgufValue* value = file.find(std::string("tokenizer.ggml.") + key);
          value && value->count() > most_entries)
        fail(fmt::format("{} has {} entries, expected at most {}", key, value->count(), most_entries));
    tokens = list<std::string_view>("tokens", &GgufValue::texts).value_or(std::vector<std::string_view>());
    if (tokens.empty()) fail("tokens is missing, or no list of texts");
    kinds = list<double>("token_type", &GgufValue::numbers).value_or(std::vector<double>(tokens.size(), 1));
    if (kinds.size() != tokens.size()) fail("token_type has another length than tokens");
    for (const double kind : kinds)
      if (!(kind >= 1 && kind <= 6)) fail(fmt::format("token_type has {}, expected 1 to 6", kind));
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw UserError(fmt::format("{}: tokenizer.ggml.{}", file_.path().string(), message));
  }

  template <class Item>
  std::optional<std::vector<Item>> list(const char* key,
                                        std::optional<std::vector<Item>> (GgufValue::*as)() const) const {
    const GgufValue* value = file_.find(std::string("tokenizer.ggml.") + key);
    return value ? (value->*as)() : std::nullopt;
  }
  std::string text(const char* key) const {
    const GgufValue* value = file_.find(std::string("tokenizer.ggml.") + key);
    return value && value->text() ? std::string(*value->text()) : "";
  }
  bool truth(const char* key, bool otherwise) const {
    const GgufValue* value = file_.find(std::string("tokenizer.ggml.") + key);
    return value ? value->truth().value_or(otherwise) : otherwise;
  }
  Kind kind(size_t id) const { return static_cast<Kind>(int(kinds[id])); }

  std::vector<std::string_view> tokens;
  std::vector<double> kinds;

 private:
  const GgufFile& file_;
};

BpeModel read_sentencepieces(const Vocabulary& vocabulary) {
  const auto scores = vocabulary.list<double>("scores", &GgufValue::numbers);
  if (!scores || scores->size() != vocabulary.tokens.size())
    vocabulary.fail("scores is missing, or has another length than tokens");
  SentencePieces pieces;
  pieces.adds_blank = vocabulary.truth("add_space_prefix", true);
  pieces.collapses_blanks = vocabulary.truth("remove_extra_whitespaces", false);
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    pieces.pieces.push_back({std::string(vocabulary.tokens[id]), float((*scores)[id]), vocabulary.kind(id)});
  return sentencepiece_model(pieces);
}

/// How llama.cpp names the split patterns. One that is not known is taken for GPT-2's, and said.
SplitPattern pattern_of(const std::string& pre, size_t vocabulary_size) {
  constexpr size_t llama3_tokens = 128256;
  if (pre == "llama-bpe" || pre == "llama3" || pre == "llama-v3" || (pre.empty() && vocabulary_size == llama3_tokens))
    return SplitPattern::llama3;
  if (pre == "smollm") return SplitPattern::smollm;
  if (pre == "qwen2") return SplitPattern::qwen2;
  if (pre == "default") return SplitPattern::llama_cpp;
  if (pre.empty()) {
    fmt::print(stderr, "cria: the model does not say how it splits text: llama.cpp's default is taken\n");
    return SplitPattern::llama_cpp;
  }
  if (pre != "gpt-2" && pre != "gpt2")
    fmt::print(stderr, "cria: the model splits text by \"{}\", which is not known: GPT-2's way is taken instead\n",
               pre);
  return SplitPattern::gpt2;
}

BpeModel read_merges(const Vocabulary& vocabulary) {
  BpeModel model;
  model.pattern = pattern_of(vocabulary.text("pre"), vocabulary.tokens.size());
  model.ignore_merges = model.pattern == SplitPattern::llama3;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const bool plain = vocabulary.kind(id) == Kind::normal;
    const std::string token(vocabulary.tokens[id]);
    if (!plain) model.special_tokens.push_back(static_cast<TokenId>(id));
    if (token.empty() || model.vocabulary.insert(plain ? from_json_string(token, model.alphabet) : token) != id)
      vocabulary.fail(fmt::format("tokens has token {} twice, or it is empty", id));
  }
  const auto merges = vocabulary.list<std::string_view>("merges", &GgufValue::texts);
  if (!merges) vocabulary.fail("merges is missing, or no list of texts");
  const auto id_of = [&](const std::string& token) {
    const size_t id = model.vocabulary.find(token);
    if (id == ByteStrings::npos) vocabulary.fail("merges names a token that is not there");
    return static_cast<TokenId>(id);
  };
  for (const std::string_view merge : *merges) {
    const size_t blank = merge.find(' ', 1);
    if (blank == merge.npos) vocabulary.fail("merges has one that does not name two tokens");
    const std::string left = from_json_string(std::string(merge.substr(0, blank)), model.alphabet);
    const std::string right = from_json_string(std::string(merge.substr(blank + 1)), model.alphabet);
    model.merges.push_back({id_of(left), id_of(right), id_of(left + right)});
  }
  return model;
}

}  // namespace

std::unique_ptr<Tokenizer> gguf_tokenizer(const GgufFile& file) {
  const GgufValue* kind = file.find("tokenizer.ggml.model");
  if (!kind || kind->text() == "none" || kind->text() == "no_vocab") return nullptr;
  const Vocabulary vocabulary(file);
  if (kind->text() == "llama" || kind->text() == "gpt2")
    return with_name(file.path(), [&] {
      return std::make_unique<Tokenizer>(kind->text() == "llama" ? read_sentencepieces(vocabulary)
                                                                 : read_merges(vocabulary));
    });
  vocabulary.fail(fmt::format("model is {}, expected llama or gpt2", in_quotes(kind->text().value_or("no text"))));
}

Model load_gguf(const std::filesystem::path& path) {
  const GgufFile file(path);
  const ModelConfig config = gguf_config(file);
  Model model{config, LlamaParameters(config.llama), gguf_tokenizer(file)};
  read_gguf_weights(file, model.weights);
  model.weights.for_each([&](const std::string& name, const auto&) {
    model.types[name] = file.tensors().at(parameter_name(name).gguf).type;
  });
  return model;
}

}  // namespace cria
