// Encoding: special tokens are cut out, the rest is split into pieces, and most pieces are in the cache or are a token
// as they stand; only the others are merged from their bytes.
#include "chapters/01-bpe/tokenizer.hpp"

#include <algorithm>

#include "chapters/01-bpe/compose.hpp"
#include "chapters/01-bpe/sentencepiece.hpp"
#include "lib/base/check.hpp"

namespace cria {

Tokenizer::Tokenizer(BpeModel model)
    : model_(std::move(model)), merger_(model_), kinds_(model_.vocabulary.size(), Kind::whole) {
  const ByteStrings& vocabulary = model_.vocabulary;
  std::vector<std::string> specials;
  for (TokenId id : model_.special_tokens) {
    kinds_[static_cast<std::size_t>(id)] = Kind::special;
    specials.emplace_back(vocabulary[static_cast<std::size_t>(id)]);
  }
  specials_ = SpecialTokens(std::move(specials));
  if (model_.sentencepiece) borders_ = MergeBorders(model_);
  if (model_.sentencepiece)
    for (const TokenId id : model_.sentencepiece->byte_tokens) kinds_[static_cast<std::size_t>(id)] = Kind::byte;

  if (model_.alphabet == Alphabet::bytes) {
    for (int byte = 0; byte < 256; ++byte) {
      const char bytes[] = {static_cast<char>(byte)};
      const std::size_t id = vocabulary.find({bytes, 1});
      const bool there = id != ByteStrings::npos && kinds_[id] != Kind::special;
      byte_ids_[static_cast<std::size_t>(byte)] = there ? static_cast<TokenId>(id) : -1;
    }
  }
  if (model_.ignore_merges) return;
  // Merging decides. In a trained vocabulary every token is what its own bytes merge to, but a file may hold any.
  std::vector<TokenId> symbols;
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    if (kinds_[id] != Kind::whole || vocabulary[id].size() == symbol_size(vocabulary[id], 0)) continue;
    const bool whole = split_into_symbols(vocabulary[id], symbols) == vocabulary[id].size();
    merger_.merge(symbols);
    if (!whole || symbols.size() != 1 || symbols[0] != static_cast<TokenId>(id)) kinds_[id] = Kind::partial;
  }
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, SpecialText special) const {
  std::vector<TokenId> ids;
  encode(text, special, ids);
  return ids;
}

std::vector<TokenId> Tokenizer::encode_continuation(std::string_view text) const {
  std::vector<TokenId> ids;
  Workspace work = workspace(text);
  encode_plain(text, false, work, ids);
  return ids;
}

// A short text does not pay for large caches.
Tokenizer::Workspace Tokenizer::workspace(std::string_view text) {
  return {PieceCache<2, 3>(std::min<std::size_t>(text.size() / 8, 16384)),
          PieceCache<4, 6>(std::min<std::size_t>(text.size() / 64, 4096)),
          {}};
}

void Tokenizer::encode(std::string_view text, SpecialText special, std::vector<TokenId>& out) const {
  Workspace work = workspace(text);
  if (out.empty()) out.reserve(text.size() / 4);  // about what a text comes to
  if (special == SpecialText::plain)
    encode_plain(text, true, work, out);
  else
    specials_.for_each_part(
        text, [&](std::string_view plain) { encode_plain(plain, plain.data() == text.data(), work, out); },
        [&](std::string_view token) { out.push_back(static_cast<TokenId>(model_.vocabulary.find(token))); });
}

void Tokenizer::encode_plain(std::string_view text, bool in_front, Workspace& work, std::vector<TokenId>& out) const {
  std::string changed;
  if (model_.composes) text = changed = compose(text);
  if (model_.sentencepiece) text = changed = with_blanks(text, in_front, *model_.sentencepiece);
  for_each_piece(model_.pattern, text, [&](std::string_view piece) {
    if (!model_.sentencepiece) return encode_piece(piece, work, out);
    for (std::size_t begin = 0, end; begin < piece.size(); begin = end) {
      end = borders_.part_end(piece, begin);
      encode_piece(piece.substr(begin, end - begin), work, out);
    }
  });
}

void Tokenizer::encode_piece(std::string_view piece, Workspace& work, std::vector<TokenId>& out) const {
  if (piece.size() <= work.short_pieces.longest_piece)
    encode_cached(work.short_pieces.entry(piece), piece, work, out);
  else if (piece.size() <= work.long_pieces.longest_piece)
    encode_cached(work.long_pieces.entry(piece), piece, work, out);
  else
    encode_new(piece, work, out);
}

template <class Entry>
void Tokenizer::encode_cached(Entry& cached, std::string_view piece, Workspace& work, std::vector<TokenId>& out) const {
  if (cached.count > 0) {
    for (std::uint16_t i = 0; i < cached.count; ++i) out.push_back(cached.ids[i]);
    return;
  }
  const std::size_t begin = out.size();
  encode_new(piece, work, out);
  const std::size_t count = out.size() - begin;
  if (count > std::size(cached.ids)) return;
  std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(begin), count, cached.ids);
  cached.count = static_cast<std::uint16_t>(count);
}

void Tokenizer::encode_new(std::string_view piece, Workspace& work, std::vector<TokenId>& out) const {
  if (const std::size_t id = model_.vocabulary.find(piece); id != ByteStrings::npos && kinds_[id] == Kind::whole) {
    out.push_back(static_cast<TokenId>(id));
    return;
  }
  if (const std::size_t at = split_into_symbols(piece, work.symbols); at < piece.size())
    throw UserError((model_.alphabet == Alphabet::bytes ? "the byte " : "the character ") +
                    in_quotes(piece.substr(at, symbol_size(piece, at))) + " at byte " + std::to_string(at) + " of " +
                    in_quotes(piece) + " is not in this tokenizer's vocabulary");
  merger_.merge(work.symbols);
  out.insert(out.end(), work.symbols.begin(), work.symbols.end());
}

std::size_t Tokenizer::symbol_size(std::string_view text, std::size_t at) const {
  return model_.alphabet == Alphabet::bytes ? 1 : character_at(text, at).size;
}

std::size_t Tokenizer::split_into_symbols(std::string_view piece, std::vector<TokenId>& symbols) const {
  symbols.clear();
  if (model_.alphabet == Alphabet::bytes) {
    for (char byte : piece) symbols.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
    const auto missing = std::ranges::find(symbols, -1);
    const auto count = static_cast<std::size_t>(missing - symbols.begin());
    symbols.resize(count);
    return count;
  }
  for (std::size_t at = 0, size; at < piece.size(); at += size) {
    size = symbol_size(piece, at);
    const std::size_t id = model_.vocabulary.find(piece.substr(at, size));
    const bool has_token = id != ByteStrings::npos && kinds_[id] != Kind::special;
    if (!has_token && model_.sentencepiece) {
      push_bytes(piece.substr(at, size), symbols);
      continue;
    }
    if (!has_token) return at;
    symbols.push_back(static_cast<TokenId>(id));
  }
  return piece.size();
}

// SentencePiece makes one unknown token of several unknown characters in a row.
void Tokenizer::push_bytes(std::string_view character, std::vector<TokenId>& symbols) const {
  const SentencePieceRules& rules = *model_.sentencepiece;
  for (const char byte : character)
    if (!rules.byte_tokens.empty())
      symbols.push_back(rules.byte_tokens[static_cast<unsigned char>(byte)]);
    else if (rules.unknown && (symbols.empty() || symbols.back() != *rules.unknown))
      symbols.push_back(*rules.unknown);
}

std::string_view Tokenizer::piece(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_size())
    throw UserError("token id " + std::to_string(id) + " is out of range: the vocabulary has " +
                    std::to_string(vocabulary_size()) + " tokens");
  if (kinds_[static_cast<std::size_t>(id)] != Kind::byte) return model_.vocabulary[static_cast<std::size_t>(id)];
  static const std::string every_byte = [] {
    std::string bytes(256, '\0');
    for (std::size_t byte = 0; byte < 256; ++byte) bytes[byte] = static_cast<char>(byte);
    return bytes;
  }();
  const std::vector<TokenId>& bytes = model_.sentencepiece->byte_tokens;
  return std::string_view(every_byte).substr(static_cast<std::size_t>(std::ranges::find(bytes, id) - bytes.begin()), 1);
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::string text;
  bool in_front = model_.sentencepiece && model_.sentencepiece->adds_blank;
  for (TokenId id : ids) {
    std::string_view bytes = piece(id);
    if (in_front && !is_special(id)) {
      if (bytes.starts_with(' ')) bytes.remove_prefix(1);
      in_front = false;
    }
    text += bytes;
  }
  return text;
}

std::optional<TokenId> Tokenizer::special_id(std::string_view text) const {
  const std::size_t id = model_.vocabulary.find(text);
  if (id == ByteStrings::npos || kinds_[id] != Kind::special) return std::nullopt;
  return static_cast<TokenId>(id);
}

}  // namespace cria
