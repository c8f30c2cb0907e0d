// The tokenizer: learning a vocabulary, and encoding, on one thread.
#include <fmt/format.h>

#include <filesystem>

#include "app/bench/sections.hpp"
#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/01-bpe/train.hpp"
#include "chapters/01-bpe/train_sentencepiece.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/generate.hpp"

namespace cria::bench {
namespace {

constexpr size_t story_bytes = 8'000'000;

/// The file that --text names, or so many bytes of stories of the built-in grammar.
std::string text_for(const std::string& file) {
  if (!file.empty()) return read_file(file);
  const Grammar grammar = Grammar::load(data_folder() / "stories" / "stories.grammar");
  Random random(1);
  std::string text;
  while (text.size() < story_bytes) text += generate(grammar, random).text + "\n";
  text.resize(story_bytes);
  return text;
}

/// The text, made when it is first asked for and shared by the cases.
class SharedText {
 public:
  explicit SharedText(std::string file) : file_(std::move(file)) {}
  const std::string& get() {
    if (text_.empty()) text_ = text_for(file_);
    return text_;
  }

 private:
  std::string file_, text_;
};

Tokenizer learned_sentencepiece(const std::string& text) {
  const SentencePieceOptions options;
  WordCounts words;
  count_words(text, options.borders(), words);
  return Tokenizer(sentencepiece_model(train_sentencepiece(words, options)));
}

std::string name_of(const std::string& file) { return std::filesystem::path(file).filename().string(); }

}  // namespace

std::vector<Case> tokenizer_cases(const Setting& setting) {
  const std::filesystem::path file =
      setting.tokenizer.empty() ? data_folder() / "model" : std::filesystem::path(setting.tokenizer);
  const auto tokenizer = std::make_shared<const Tokenizer>(load_tokenizer(file));
  const auto text = std::make_shared<SharedText>(setting.text);
  const size_t bytes = setting.text.empty() ? story_bytes : read_file(setting.text).size();
  if (bytes == 0) throw UserError(fmt::format("--text {}: the file is empty", setting.text));
  const double megabytes = 1e-6 * double(bytes);
  const std::string what =
      fmt::format("{:.1f} MB of {}", megabytes, setting.text.empty() ? "stories" : name_of(setting.text));

  Case training = {.name = "bpe training",
                   .shape = "4096 on " + what,
                   .type = "bytes",
                   .target = setting.target,
                   .unit = "s",
                   .amount = 1,
                   .prepare =
                       [text] {
                         return [&all = text->get(), text] {
                           BpeOptions options;
                           options.vocabulary_size = 4096;
                           keep(double(train_bpe(all, options).merges.size()));
                         };
                       },
                   .is_cost = true};
  Case encoding = {.name = "encode",
                   .shape = fmt::format("{}, {} tokens known", what, tokenizer->vocabulary_size()),
                   .type = "bytes",
                   .target = setting.target,
                   .unit = "MB/s",
                   .amount = megabytes,
                   .prepare = [text, tokenizer] {
                     return [&all = text->get(), text, tokenizer, tokens = std::vector<TokenId>()]() mutable {
                       tokens.clear();
                       tokenizer->encode(all, SpecialText::plain, tokens);
                     };
                   }};
  Case pieces = encoding;
  pieces.name = "encode sentencepiece";
  pieces.shape = what + ", at most 4096 pieces learned from it";
  pieces.prepare = [text] {
    return [&all = text->get(), text, tokenizer = std::make_shared<const Tokenizer>(learned_sentencepiece(text->get())),
            tokens = std::vector<TokenId>()]() mutable {
      tokens.clear();
      tokenizer->encode(all, SpecialText::plain, tokens);
    };
  };
  Case decoding = encoding;
  decoding.name = "decode text";
  decoding.prepare = [text, tokenizer] {
    return [tokenizer, tokens = tokenizer->encode(text->get())] { keep(double(tokenizer->decode(tokens).size())); };
  };
  return {training, encoding, pieces, decoding};
}

}  // namespace cria::bench
