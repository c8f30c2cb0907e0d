// The vocabulary of a GGUF file, as llama.cpp reads it; gguf_tokenizer.cpp reads it back.
#include "chapters/12-open-weights/gguf_tokenizer_write.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/token_text.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using Kind = SentencePieces::Kind;

/// What llama.cpp calls the split patterns.
std::string pattern_name(SplitPattern pattern) {
  if (pattern == SplitPattern::llama3) return "llama-bpe";
  if (pattern == SplitPattern::gpt2) return "gpt-2";
  if (pattern == SplitPattern::smollm) return "smollm";
  if (pattern == SplitPattern::qwen2) return "qwen2";
  if (pattern == SplitPattern::llama_cpp) return "default";
  throw UserError(
      fmt::format("GGUF has no name for a tokenizer with the split pattern {}", split_pattern_name(pattern)));
}

/// Scores that put tokens in the order in which merges make them, for a model that came with merges only
/// (tokenizer.json).
std::vector<float> scores_of(const BpeModel& model, std::span<const std::string> tokens,
                             std::span<const std::int32_t> kinds) {
  if (!model.sentencepiece->scores.empty()) return model.sentencepiece->scores;
  std::vector<float> scores(model.vocabulary.size());
  std::vector<size_t> last(model.vocabulary.size());
  for (size_t rank = 0; rank < model.merges.size(); ++rank) last[size_t(model.merges[rank].result)] = rank;
  // Tokens of one score lie between each other's merges, as Llama 2's runs of blanks do.
  size_t begin = 0, end = 0;
  for (size_t rank = 0; rank < model.merges.size(); ++rank) {
    if (rank > end) begin = rank;
    end = std::max(end, last[size_t(model.merges[rank].result)]);
    scores[size_t(model.merges[rank].result)] = -float(begin);
  }
  SentencePieces pieces;
  for (size_t id = 0; id < scores.size(); ++id) pieces.pieces.push_back({tokens[id], scores[id], Kind(kinds[id])});
  if (sentencepiece_model(pieces).merges != model.merges)
    throw UserError("GGUF cannot hold this SentencePiece tokenizer: its merges do not go by one score for each token");
  return scores;
}

/// llama.cpp looks whole pieces up before it merges with Llama 3's pattern, and with no other. That gives other ids
/// where a tokenizer does not do the same, and has a token that its merges do not make.
void require_same_pieces(const BpeModel& model) {
  if (model.ignore_merges == (model.pattern == SplitPattern::llama3)) return;
  BpeModel merging = model;
  merging.ignore_merges = false;
  const Tokenizer tokenizer(std::move(merging));
  for (size_t id = 0; id < model.vocabulary.size(); ++id) {
    const std::string_view token = model.vocabulary[id];
    if (tokenizer.is_special(TokenId(id)) || piece_end(model.pattern, token, 0) != token.size()) continue;
    if (tokenizer.encode(token) != std::vector<TokenId>{TokenId(id)})
      throw UserError(fmt::format("GGUF cannot say whether a piece such as {} is merged or looked up as a whole",
                                  in_quotes(token)));
  }
}

void require_writable(const BpeModel& model) {
  if (model.sentencepiece) return;
  if (model.alphabet != Alphabet::bytes)
    throw UserError("GGUF has no word for a tokenizer of characters; expected byte-level BPE or SentencePiece");
  if (model.composes) throw UserError("GGUF cannot say that a tokenizer composes characters (NFC), as this one does");
  require_same_pieces(model);
}

std::vector<std::int32_t> kinds_of(const BpeModel& model) {
  std::vector<std::int32_t> kinds(model.vocabulary.size(), int(Kind::normal));
  for (const TokenId id : model.special_tokens) kinds[size_t(id)] = int(Kind::control);
  if (!model.sentencepiece) return kinds;
  for (const TokenId id : model.sentencepiece->byte_tokens) kinds[size_t(id)] = int(Kind::byte);
  if (model.sentencepiece->unknown) kinds[size_t(*model.sentencepiece->unknown)] = int(Kind::unknown);
  return kinds;
}

/// With tokens that stand for nothing up to `rows`, as embeddings often have rows to spare.
void add_vocabulary(const BpeModel& model, size_t rows, GgufMetadata& out) {
  const bool pieces = model.sentencepiece.has_value();
  std::vector<std::int32_t> kinds = kinds_of(model);
  std::vector<std::string> tokens;
  for (size_t id = 0; id < model.vocabulary.size(); ++id) {
    const std::string_view token = model.vocabulary[id];
    const bool plain = kinds[id] == int(Kind::normal);
    tokens.push_back(!plain   ? std::string(token)
                     : pieces ? with_written_blanks(token)
                              : to_json_string(token, model.alphabet));
  }
  std::vector<std::string> merges;
  for (const Merge& merge : model.merges)
    merges.push_back(tokens[size_t(merge.left)] + " " + tokens[size_t(merge.right)]);
  std::vector<float> scores = pieces ? scores_of(model, tokens, kinds) : std::vector<float>();
  for (size_t id = tokens.size(); id < rows; ++id) tokens.push_back(fmt::format("[PAD{}]", id));
  kinds.resize(rows, int(Kind::unused)), scores.resize(rows);
  out.add("tokenizer.ggml.model", pieces ? "llama" : "gpt2");
  out.add("tokenizer.ggml.pre", pieces ? "default" : pattern_name(model.pattern));
  out.add("tokenizer.ggml.tokens", std::span<const std::string>(tokens));
  out.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(kinds));
  if (!pieces) return out.add("tokenizer.ggml.merges", std::span<const std::string>(merges));
  out.add("tokenizer.ggml.scores", std::span<const float>(scores));
  out.add("tokenizer.ggml.add_space_prefix", model.sentencepiece->adds_blank);
  out.add("tokenizer.ggml.remove_extra_whitespaces", model.sentencepiece->collapses_blanks);
}

/// The first that ends a text is GGUF's eos; others end a turn (eot), or a message to a tool (eom). llama2.c ends a
/// text at the token that begins one, too, which is the last choice.
void add_ends(const Tokenizer& tokenizer, std::vector<TokenId> ends, std::optional<TokenId> begin, GgufMetadata& out) {
  if (begin) std::stable_partition(ends.begin(), ends.end(), [&](TokenId id) { return id != *begin; });
  std::optional<TokenId> text, message, turn;
  for (const TokenId id : ends) {
    auto& place = !text ? text : tokenizer.special_id("<|eom_id|>") == id ? message : turn;
    if (place) throw UserError(fmt::format("GGUF has no key for a further token that ends a text, {}", id));
    place = id;
  }
  const auto add = [&](const char* key, std::optional<TokenId> id) {
    if (id) out.add(key, static_cast<std::uint32_t>(*id));
  };
  add("tokenizer.ggml.eos_token_id", text);
  add("tokenizer.ggml.eot_token_id", turn);
  add("tokenizer.ggml.eom_token_id", message);
}

}  // namespace

void add_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config, GgufMetadata& out) {
  require_writable(tokenizer.model());
  add_vocabulary(tokenizer.model(), config.llama.vocabulary_size, out);
  const auto begin = config.begin_of_text ? config.begin_of_text : tokenizer.bos_id();
  if (begin) out.add("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(*begin));
  out.add("tokenizer.ggml.add_bos_token", config.begin_of_text.has_value());
  add_ends(tokenizer, config.end_of_text, begin, out);
  if (const auto& pieces = tokenizer.model().sentencepiece; pieces && pieces->unknown)
    out.add("tokenizer.ggml.unknown_token_id", static_cast<std::uint32_t>(*pieces->unknown));
}

}  // namespace cria
