// Encoding: special tokens are cut out, the rest is split into pieces, and most pieces are in the cache or are a token
// as they stand; only the others are merged from their bytes.
#include "chapters/01-bpe/tokenizer.hpp"

#include "lib/base/check.hpp"

namespace cria {

Tokenizer::Tokenizer(BpeModel model)
    : model_(std::move(model)), merger_(model_.merges), kinds_(model_.vocabulary.size(), Kind::whole) {
  const ByteStrings& vocabulary = model_.vocabulary;
  std::vector<std::string> specials;
  for (TokenId id : model_.special_tokens) {
    kinds_[static_cast<std::size_t>(id)] = Kind::special;
    specials.emplace_back(vocabulary[static_cast<std::size_t>(id)]);
  }
  specials_ = SpecialTokens(std::move(specials));

  if (model_.alphabet == Alphabet::bytes) {
    for (int byte = 0; byte < 256; ++byte) {
      const char bytes[] = {static_cast<char>(byte)};
      const std::size_t id = vocabulary.find({bytes, 1});
      if (id == ByteStrings::npos || kinds_[id] == Kind::special)
        throw UserError("the vocabulary has no token for byte " + std::to_string(byte) + ": it is not byte-level BPE");
      byte_ids_[static_cast<std::size_t>(byte)] = static_cast<TokenId>(id);
    }
  }
  if (model_.ignore_merges) return;
  // Merging decides. In a trained vocabulary every token is what its own bytes merge to, but a file may hold any.
  std::vector<Merger::Symbol> symbols;
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    if (kinds_[id] == Kind::special || vocabulary[id].size() == symbol_size(vocabulary[id], 0)) continue;
    split_into_symbols(vocabulary[id], symbols);
    merger_.merge(symbols);
    if (symbols.size() != 1 || symbols[0].token != static_cast<TokenId>(id)) kinds_[id] = Kind::partial;
  }
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, SpecialText special) const {
  std::vector<TokenId> ids;
  encode(text, special, ids);
  return ids;
}

void Tokenizer::encode(std::string_view text, SpecialText special, std::vector<TokenId>& out) const {
  Workspace work{PieceCache(text.size()), {}};
  const auto encode_plain = [&](std::string_view plain) {
    for_each_piece(model_.pattern, plain, [&](std::string_view piece) { encode_piece(piece, work, out); });
  };
  if (special == SpecialText::plain)
    encode_plain(text);
  else
    specials_.for_each_part(text, encode_plain, [&](std::string_view token) {
      out.push_back(static_cast<TokenId>(model_.vocabulary.find(token)));
    });
}

void Tokenizer::encode_piece(std::string_view piece, Workspace& work, std::vector<TokenId>& out) const {
  PieceCache::Entry* cached = work.cache.entry(piece);
  if (cached && cached->count > 0) {
    for (TokenId id : cached->tokens()) out.push_back(id);
    return;
  }
  const std::size_t begin = out.size();
  if (const std::size_t id = model_.vocabulary.find(piece); id != ByteStrings::npos && kinds_[id] == Kind::whole) {
    out.push_back(static_cast<TokenId>(id));
  } else {
    split_into_symbols(piece, work.symbols);
    merger_.merge(work.symbols);
    for (const Merger::Symbol& symbol : work.symbols) out.push_back(symbol.token);
  }
  const std::size_t count = out.size() - begin;
  if (cached && count <= std::size(cached->ids)) {
    std::copy_n(out.end() - static_cast<std::ptrdiff_t>(count), count, cached->ids);
    cached->count = static_cast<std::uint16_t>(count);
  }
}

std::size_t Tokenizer::symbol_size(std::string_view text, std::size_t at) const {
  return model_.alphabet == Alphabet::bytes ? 1 : character_at(text, at).size;
}

void Tokenizer::split_into_symbols(std::string_view piece, std::vector<Merger::Symbol>& symbols) const {
  symbols.clear();
  if (model_.alphabet == Alphabet::bytes) {
    for (char byte : piece) symbols.push_back({.token = byte_ids_[static_cast<unsigned char>(byte)]});
    return;
  }
  for (std::size_t at = 0, size; at < piece.size(); at += size) {
    size = symbol_size(piece, at);
    const std::size_t id = model_.vocabulary.find(piece.substr(at, size));
    if (id == ByteStrings::npos || kinds_[id] == Kind::special)
      throw UserError("the character \"" + std::string(piece.substr(at, size)) + "\" at byte " + std::to_string(at) +
                      " is not in this character tokenizer's vocabulary");
    symbols.push_back({.token = static_cast<TokenId>(id)});
  }
}

std::string_view Tokenizer::piece(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_size())
    throw UserError("token id " + std::to_string(id) + " is out of range: the vocabulary has " +
                    std::to_string(vocabulary_size()) + " tokens");
  return model_.vocabulary[static_cast<std::size_t>(id)];
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::string text;
  for (TokenId id : ids) text += piece(id);
  return text;
}

std::optional<TokenId> Tokenizer::special_id(std::string_view text) const {
  const std::size_t id = model_.vocabulary.find(text);
  if (id == ByteStrings::npos || kinds_[id] != Kind::special) return std::nullopt;
  return static_cast<TokenId>(id);
}

}  // namespace cria
