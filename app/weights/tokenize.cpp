// cria tokenize: the tokenizer of chapter 01 by itself.
#include "app/weights/tokenize.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/output.hpp"
#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/01-bpe/train.hpp"
#include "chapters/01-bpe/train_sentencepiece.hpp"
#include "chapters/12-open-weights/open_tokenizer.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

/// A token's bytes as text: line ends and other control characters, and bytes that are no whole character, are escaped.
std::string visible(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (bytes[at] == '\n')
      text += "\\n";
    else if (bytes[at] == '\t')
      text += "\\t";
    else if (character.code_point < 0x20 || byte == 0x7F)
      text += fmt::format("\\x{:02x}", byte);
    else
      text += bytes.substr(at, character.size);
    at += character.size;
  }
  return text;
}

/// Pieces that merges have made: neither special tokens, nor bytes, nor single characters.
size_t count_learned(const SentencePieces& pieces) {
  return static_cast<size_t>(std::ranges::count_if(pieces.pieces, [](const SentencePieces::Piece& piece) {
    return piece.kind == SentencePieces::Kind::normal && count_characters(piece.text) > 1;
  }));
}

}  // namespace

int run_tokenize_train(const TokenizeTrainOptions& options) {
  const bool pieces = options.kind == "sentencepiece";
  if (!pieces && options.kind != "bpe")
    throw UserError(fmt::format("--kind is {}, expected bpe or sentencepiece", options.kind));
  if (pieces && options.pattern) throw UserError("--pattern is for --kind bpe; sentencepiece cuts in front of blanks");
  if (!pieces && options.coverage) throw UserError("--coverage is for --kind sentencepiece; bpe has all bytes");
  if (options.coverage && !(*options.coverage > 0 && *options.coverage <= 1))
    throw UserError(fmt::format("--coverage is {}, expected a share above 0 and up to 1", *options.coverage));
  BpeOptions bpe;
  bpe.vocabulary_size = options.vocabulary;
  bpe.pattern = split_pattern_from_name(options.pattern.value_or("llama3"));
  bpe.separator = options.separator;
  if (!options.special_tokens.empty()) bpe.special_tokens = options.special_tokens;
  SentencePieceOptions sentencepiece{options.vocabulary, options.special_tokens, SentencePieceOptions().coverage,
                                     options.separator};
  if (options.coverage) sentencepiece.coverage = *options.coverage;

  using Seconds = std::chrono::duration<double>;
  const auto start = std::chrono::steady_clock::now();
  const WordCounts words =
      count_words_in_files(list_files(options.data), pieces ? sentencepiece.borders() : bpe.borders());
  const auto counted = std::chrono::steady_clock::now();
  SentencePieces learned_pieces;
  if (pieces) learned_pieces = train_sentencepiece(words, sentencepiece);
  const BpeModel model = pieces ? sentencepiece_model(learned_pieces) : train_bpe(words, bpe);
  const auto learned = std::chrono::steady_clock::now();
  save_tokenizer(model, options.folder);
  if (pieces)
    write_file_atomically(std::filesystem::path(options.folder) / "tokenizer.model",
                          sentencepiece_bytes(learned_pieces));

  const double counting = Seconds(counted - start).count(), learning = Seconds(learned - counted).count();
  const size_t merges = pieces ? count_learned(learned_pieces) : model.merges.size();
  if (options.json) {
    const Json report = {{"vocabulary", model.vocabulary.size()}, {"merges", merges},
                         {"distinct_words", words.words.size()},  {"seconds_counting", counting},
                         {"seconds_learning", learning},          {"folder", options.folder}};
    fmt::print("{}\n", report.dump(2, ' ', false, Json::error_handler_t::replace));
    return 0;
  }
  fmt::print("{} distinct words counted in {:.2f} s, {} merges learned in {:.2f} s\n", words.words.size(), counting,
             merges, learning);
  if (model.vocabulary.size() < options.vocabulary)
    fmt::print("no pair was left to merge: the vocabulary has {} tokens, not {}\n", model.vocabulary.size(),
               options.vocabulary);
  fmt::print("{} tokens saved in {}/tokenizer.json{}\n", model.vocabulary.size(), options.folder,
             pieces ? " and tokenizer.model" : "");
  return 0;
}

int run_tokenize_encode(const TokenizeEncodeOptions& options) {
  if (!options.text.empty() && !options.file.empty()) throw UserError("give a text or --file, not both");
  const std::string text = options.file.empty() ? options.text : read_file(options.file);
  const Tokenizer tokenizer = open_tokenizer(options.tokenizer);
  const std::vector<TokenId> ids = tokenizer.encode(text, options.special ? SpecialText::parse : SpecialText::plain);

  std::vector<std::string> pieces;
  for (TokenId id : ids) pieces.push_back(visible(tokenizer.piece(id)));
  if (options.json) {
    const Json report = {{"bytes", text.size()}, {"ids", ids}, {"pieces", pieces}};
    fmt::print("{}\n", report.dump());
    return 0;
  }
  fmt::print("{}\n{}\n", fmt::join(ids, " "), fmt::join(pieces, "|"));
  return 0;
}

int run_tokenize_decode(const TokenizeDecodeOptions& options) {
  const Tokenizer tokenizer = open_tokenizer(options.tokenizer);
  const std::string text = tokenizer.decode(options.ids);
  if (options.json) {
    std::vector<std::string> pieces;
    for (TokenId id : options.ids) pieces.push_back(visible(tokenizer.piece(id)));
    const Json report = {{"text", text}, {"pieces", pieces}};
    fmt::print("{}\n", report.dump(-1, ' ', false, Json::error_handler_t::replace));  // JSON holds valid UTF-8 only
    return 0;
  }
  print_bytes(text + "\n");
  return 0;
}

}  // namespace cria
