// TokenTrie: a vocabulary as a tree of bytes, so that one walk tells which of its tokens a text can go on with.
//
// Tokens that begin alike share a path. Where the text cannot take a byte, all tokens below it are passed at once, and
// a byte that many tokens begin with is tried once. Willard and Louf 2023 (arXiv:2307.09702) keep such answers for each
// state of an automaton; here that is done by who asks (schema_constraint.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/22-serving/byte_acceptor.hpp"
#include "chapters/22-serving/token_set.hpp"

namespace cria {

class TokenTrie {
 public:
  /// Of all tokens that stand for text: special ones, SentencePiece's unknown one and empty ones are left out. `ends`
  /// are the tokens that end a text. The tokenizer must outlive it.
  TokenTrie(const Tokenizer& tokenizer, const std::vector<TokenId>& ends);

  /// The tokens whose bytes the text can take in, one after the other; and the end tokens where it may end. The text
  /// is afterwards as it was. Throws UserError where there is none.
  TokenSet allowed(ByteAcceptor& text) const;

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  size_t nodes() const { return nodes_.size(); }

 private:
  /// A byte behind those of the nodes above it. In the order of a walk: first the node, then all below it.
  struct Node {
    std::uint32_t end;     // index of the first node that is not below it
    std::uint32_t tokens;  // index of its first token in tokens_; those of the next node follow
    std::uint16_t depth;   // bytes from the root, itself included
    unsigned char byte;
  };

  const Tokenizer* tokenizer_;
  std::vector<TokenId> ends_;
  std::vector<Node> nodes_;      // and one more, which closes the list
  std::vector<TokenId> tokens_;  // in the order of their nodes
  size_t size_;                  // of a set that has room for all of them
};

}  // namespace cria
