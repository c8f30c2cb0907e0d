// Sorted by their bytes, the tokens stand in the order of a walk through the tree: the nodes are made in one pass.
#include "chapters/22-serving/token_trie.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

#include "lib/base/check.hpp"

namespace cria {

TokenTrie::TokenTrie(const Tokenizer& tokenizer, const std::vector<TokenId>& ends)
    : tokenizer_(&tokenizer), ends_(ends), size_(tokenizer.vocabulary_size()) {
  constexpr size_t longest = std::numeric_limits<std::uint16_t>::max();
  for (const TokenId end : ends) size_ = std::max(size_, static_cast<size_t>(end) + 1);
  const auto& sentencepiece = tokenizer.model().sentencepiece;
  std::vector<std::string_view> texts(tokenizer.vocabulary_size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const TokenId token = static_cast<TokenId>(i);
    if (tokenizer.is_special(token) || (sentencepiece && sentencepiece->unknown == token)) continue;
    if (std::ranges::find(ends, token) != ends.end()) continue;
    texts[i] = tokenizer.piece(token);
    if (!texts[i].empty() && texts[i].size() <= longest) tokens_.push_back(token);
  }
  const auto text = [&](TokenId token) { return texts[static_cast<size_t>(token)]; };
  std::ranges::sort(tokens_, {}, [&](TokenId token) { return std::pair(text(token), token); });

  std::vector<size_t> open;  // the nodes of the last token's bytes
  const auto close = [&](size_t depth) {
    for (; open.size() > depth; open.pop_back()) nodes_[open.back()].end = static_cast<std::uint32_t>(nodes_.size());
  };
  std::string_view last;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string_view bytes = text(tokens_[i]);
    const auto differ = std::mismatch(last.begin(), last.end(), bytes.begin(), bytes.end()).second;
    close(static_cast<size_t>(differ - bytes.begin()));
    for (size_t at = open.size(); at < bytes.size(); ++at) {
      open.push_back(nodes_.size());
      // Nodes above the last one have no token of their own: theirs begin, and end, where those of the next begin.
      nodes_.push_back({0, static_cast<std::uint32_t>(i), static_cast<std::uint16_t>(at + 1),
                        static_cast<unsigned char>(bytes[at])});
    }
    last = bytes;
  }
  close(0);
  nodes_.push_back({0, static_cast<std::uint32_t>(tokens_.size()), 0, 0});
}

TokenSet TokenTrie::allowed(ByteAcceptor& text) const {
  TokenSet allowed(size_);
  // solution: walk
  size_t depth = 0;  // bytes of the path that the text has taken in
  for (size_t i = 0; i + 1 < nodes_.size();) {
    const Node& node = nodes_[i];
    for (; depth >= node.depth; --depth) text.pop();
    if (!text.push(node.byte)) {
      i = node.end;  // past all that begin so
      continue;
    }
    ++depth;
    for (size_t t = node.tokens; t < nodes_[i + 1].tokens; ++t) allowed.add(tokens_[t]);
    ++i;
  }
  for (; depth > 0; --depth) text.pop();
  // end of solution
  // solution: end_of_text
  if (text.may_end())
    for (const TokenId end : ends_) allowed.add(end);
  // end of solution
  if (allowed.count() == 0)
    throw UserError("the constraint allows no token here: the vocabulary has none for a byte that has to come next");
  return allowed;
}

}  // namespace cria
