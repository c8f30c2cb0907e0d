// BlockPool: which blocks of a paged cache are in use, by how many texts, and which tokens each of them holds.
//
// It keeps books and no numbers: paged_cache.hpp has those. A block whose positions are all computed gets a name, which
// says what it holds: its tokens, and the name of the block before it, as keys and values depend on everything before.
// So the names of a text's blocks are a chain, and two texts that begin alike find the same blocks (Kwon et al. 2023,
// arXiv:2309.06180, section 4.3).
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "chapters/01-bpe/tokenizer.hpp"

namespace cria {

using BlockId = std::int32_t;

/// What a chain of blocks holds from the text's first token on. Equal names: equal tokens, and no two are ever the same
/// by accident, as names are counted and not hashed. no_block is before a text's first.
using BlockName = std::uint64_t;
constexpr BlockName no_block = 0;

class BlockPool {
 public:
  explicit BlockPool(size_t blocks);

  /// A block for one text, whose contents are forgotten: one without a name, or the one that nobody has used for
  /// longest. None if all are in use.
  std::optional<BlockId> take();
  /// One more text uses it.
  void share(BlockId block);
  /// One fewer. A block that nobody uses keeps its contents and name until it is taken.
  void release(BlockId block);

  /// The name of the block `block` after `before` with these tokens. Where another has it already the block itself
  /// stays without one.
  BlockName give_name(BlockId block, BlockName before, std::span<const TokenId> tokens);
  /// Nobody finds it any more.
  void forget_name(BlockId block);
  /// The block that holds these tokens after `before`.
  std::optional<BlockId> find(BlockName before, std::span<const TokenId> tokens) const;
  /// no_block if it has none.
  BlockName name(BlockId block) const { return at(block).name; }

  size_t users(BlockId block) const { return at(block).users; }

  size_t size() const { return blocks_.size(); }
  size_t unused() const { return unused_.size(); }
  size_t used() const { return size() - unused(); }
  size_t shared() const { return shared_; }  // by two texts or more

 private:
  struct Key {
    BlockName before;
    std::vector<TokenId> tokens;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const;
  };
  struct Block {
    size_t users = 0;
    BlockName name = no_block;
    std::list<BlockId>::iterator place;  // in unused_
    const Key* key = nullptr;            // of its name
  };

  const Block& at(BlockId block) const;
  Block& at(BlockId block) { return const_cast<Block&>(std::as_const(*this).at(block)); }

  std::vector<Block> blocks_;
  std::list<BlockId> unused_, in_use_;  // unused: first the one to be taken next
  std::unordered_map<Key, BlockId, Hash> named_;
  BlockName last_name_ = no_block;
  size_t shared_ = 0;
};

}  // namespace cria
