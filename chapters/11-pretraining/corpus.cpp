// Chapter 11, corpora.
#include "chapters/11-pretraining/corpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/01-bpe/train.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/11-pretraining/shuffled_documents.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/fingerprint.hpp"
#include "lib/grammar/generate.hpp"
#include "lib/grammar/zipf.hpp"

namespace cria {
namespace {

constexpr std::uint64_t held_out = std::uint64_t{1} << 63;  // indices of stories that training never reaches
constexpr size_t tokenizer_stories = 5000;

/// Story number i of a seed is always the same one, whatever was asked for before.
class Stories {
 public:
  explicit Stories(const Data& data) : seed_(data.seed) {
    if (data.name == "zipf") {
      grammar_ = zipf_grammar();
      held_out_count_ = 8192;  // a fact is short
      for (const Thread& facts : grammar_.threads)
        for (const Row& row : facts.rows)
          for (const Sequence& field : row.fields) fingerprint_ = cria::fingerprint(field.front().text, fingerprint_);
    } else {
      const std::filesystem::path file = data_folder() / "stories" / "stories.grammar";
      grammar_ = Grammar::load(file);
      fingerprint_ = cria::fingerprint(read_file(file));
    }
  }
  std::uint64_t fingerprint() const { return fingerprint_; }
  /// How many are validated on, at most.
  size_t held_out_count() const { return held_out_count_; }
  Story at(std::uint64_t index) const {
    Random random(seed_ * 0x9E3779B97F4A7C15u + index);
    return generate(grammar_, random);
  }

 private:
  std::uint64_t seed_, fingerprint_ = fingerprint_start;
  size_t held_out_count_ = 512;
  Grammar grammar_;
};

// A document's end stands for one byte: the newline, or other separator, that the file has there.
class DocumentEncoder {
 public:
  DocumentEncoder(const Tokenizer& tokenizer, const DocumentEnds& ends) : tokenizer_(tokenizer), ends_(ends) {
    if (!ends.begin || !ends.end)
      throw UserError(fmt::format("the tokenizer lacks {} or {}, which mark where a document begins and ends",
                                  begin_of_text, end_of_text));
  }
  Document operator()(std::string_view text) const {
    return make_document(tokenizer_.encode(text), *ends_.begin, *ends_.end, text.size() + 1);
  }

 private:
  const Tokenizer& tokenizer_;
  DocumentEnds ends_;
};

Corpus open_stories(const Data& data, const DocumentEncoder& encode, const Recipe& recipe) {
  const auto stories = std::make_shared<Stories>(data);
  Corpus corpus;
  corpus.fingerprint = stories->fingerprint();
  corpus.has_documents = true;
  corpus.training = packed_documents([=](std::uint64_t i) { return encode(stories->at(i).text); },
                                     recipe.training.batch, recipe.training.positions);
  double bits = 0;
  for (size_t i = 0; i < stories->held_out_count() && corpus.validation.targets < recipe.validation_tokens; ++i) {
    const Story story = stories->at(held_out + i);
    corpus.validation.add(encode(story.text), recipe.training);
    bits -= story.log2_probability;
  }
  if (corpus.validation.bytes > 0) corpus.validation.floor = bits / corpus.validation.bytes;
  return corpus;
}

// Windows side by side; the last one may be shorter.
Validation stream_validation(const std::vector<TokenId>& tokens, double bytes_per_token, const Recipe& recipe) {
  Validation validation;
  const size_t T = recipe.training.positions, B = recipe.training.batch;
  const size_t targets = std::min(tokens.size() - std::min<size_t>(tokens.size(), 1), recipe.validation_tokens);
  for (size_t begin = 0, b = 0; begin < targets; begin += T, ++b) {
    if (b % B == 0) validation.batches.emplace_back(B, T, false).clear();
    const size_t length = std::min(T, targets - begin);
    validation.batches.back().set_window(b % B, std::span(tokens).subspan(begin, length + 1));
    validation.targets += length;
  }
  validation.bytes = bytes_per_token * double(validation.targets);
  return validation;
}

Corpus open_stream(std::string_view text, const Data& data, const Tokenizer& tokenizer, const Recipe& recipe) {
  std::vector<TokenId> tokens = tokenizer.encode(text);
  constexpr size_t most = ~std::uint32_t{0};  // places that a random number of 32 bits can choose from
  if (tokens.size() > most)
    throw UserError(fmt::format("{}: a text of {} tokens is too long, expected at most {}; cut it into documents",
                                data.name, tokens.size(), most));
  const double bytes_per_token = double(text.size()) / double(tokens.size());
  const auto held = static_cast<size_t>(double(tokens.size()) * recipe.validation);
  const std::vector<TokenId> validation(tokens.end() - held, tokens.end());
  tokens.resize(tokens.size() - held);
  if (tokens.size() <= recipe.training.positions)
    throw UserError(
        fmt::format("{}: {} tokens to train on are fewer than one context of {} and the token after it; expected a "
                    "longer text, or a smaller data.context",
                    data.name, tokens.size(), recipe.training.positions));
  Corpus corpus;
  corpus.training_tokens = tokens.size();
  corpus.fingerprint = fingerprint(text);
  corpus.validation = stream_validation(validation, bytes_per_token, recipe);
  corpus.training =
      random_windows(std::move(tokens), bytes_per_token, recipe.training.batch, recipe.training.positions, data.seed);
  return corpus;
}

Corpus open_documents(const std::vector<std::string_view>& texts, const Data& data, const DocumentEncoder& encode,
                      const Recipe& recipe) {
  Corpus corpus;
  corpus.has_documents = true;
  corpus.fingerprint = fingerprint_start;
  const auto held = static_cast<size_t>(std::ceil(double(texts.size()) * recipe.validation));
  const auto documents = std::make_shared<ShuffledDocuments>(data.seed);
  for (size_t i = 0; i < texts.size(); ++i) {
    const Document document = encode(texts[i]);
    corpus.fingerprint = fingerprint(texts[i], corpus.fingerprint ^ texts[i].size());
    if (i + held >= texts.size()) {
      if (corpus.validation.targets < recipe.validation_tokens) corpus.validation.add(document, recipe.training);
      continue;
    }
    for (Document& piece : cut(document, recipe.training.positions)) {
      corpus.training_tokens += piece.targets.size();
      documents->add(std::move(piece));
    }
  }
  if (documents->empty())
    throw UserError(
        fmt::format("{}: all documents are held out, none is left to train on; lower data.validation", data.name));
  corpus.training = packed_documents([=](std::uint64_t i) { return documents->at(i); }, recipe.training.batch,
                                     recipe.training.positions);
  return corpus;
}

}  // namespace

void Validation::add(const Document& document, const TrainerOptions& shape) {
  const auto fresh = [&] { batches.emplace_back(shape.batch, shape.positions, true).clear(); };
  if (batches.empty()) fresh();
  for (const Document& piece : cut(document, shape.positions)) {
    if (!batches.back().add(piece)) fresh(), batches.back().add(piece);
    targets += piece.targets.size() - size_t(std::ranges::count(piece.targets, no_target));
  }
  bytes += double(document.bytes);
}

double Validation::loss(const std::function<double(const Batch&)>& summed_loss) const {
  double sum = 0;
  for (const BatchMemory& memory : batches) sum += summed_loss(memory.batch());
  return sum / double(targets);
}

double Validation::bits_per_byte(double loss) const { return loss * double(targets) / (std::numbers::ln2 * bytes); }

Tokenizer make_tokenizer(const std::string& kind, const Data& data, const Recipe& recipe) {
  if (kind != "bpe" && kind != "bytes" && kind != "characters") return load_tokenizer(kind);
  if (kind == "bytes") return Tokenizer(bytes_model());
  const BpeOptions options{.vocabulary_size = recipe.vocabulary, .pattern = split_pattern_from_name(recipe.pattern)};
  if (kind == "bpe" && !data.is_drawn()) {
    WordCounts words;
    for (const std::string_view text : data.documents(recipe.separator)) count_words(text, options.borders(), words);
    return Tokenizer(train_bpe(words, options));
  }
  std::string text;
  if (data.is_drawn()) {
    const Stories stories(data);
    for (size_t i = 0; i < tokenizer_stories; ++i) text += stories.at(i).text + "\n";
  } else {
    for (const std::string_view document : data.documents(recipe.separator)) text += document;
  }
  if (kind == "characters" && !is_utf8(text))
    throw UserError(fmt::format("{} is not UTF-8, which a character tokenizer needs", data.name));
  return Tokenizer(kind == "bpe" ? train_bpe(text, options) : characters_model(text));
}

Corpus open_corpus(const Data& data, const Tokenizer& tokenizer, const Recipe& recipe, const DocumentEnds& ends) {
  if (data.is_drawn()) return open_stories(data, DocumentEncoder(tokenizer, ends), recipe);
  const std::vector<std::string_view> documents = data.documents(recipe.separator);
  return documents.size() > 1 ? open_documents(documents, data, DocumentEncoder(tokenizer, ends), recipe)
                              : open_stream(documents.front(), data, tokenizer, recipe);
}

Validation open_validation(const Data& data, const Tokenizer& tokenizer, const Recipe& recipe,
                           const std::optional<DocumentEnds>& ends) {
  Validation validation;
  if (ends) {
    const DocumentEncoder encode(tokenizer, *ends);
    for (const std::string_view text : data.documents(recipe.separator)) validation.add(encode(text), recipe.training);
    return validation;
  }
  std::string text;  // of all files, one after the other
  for (const MappedFile& file : data.files) text += file.text();
  if (text.empty()) throw UserError(fmt::format("{} is empty, expected a text", data.name));
  const std::vector<TokenId> tokens = tokenizer.encode(text);
  if (tokens.size() < 2)
    throw UserError(
        fmt::format("{} has {} token, expected at least 2: the first has nothing before it to be predicted from",
                    data.name, tokens.size()));
  return stream_validation(tokens, double(text.size()) / double(tokens.size()), recipe);
}

}  // namespace cria
