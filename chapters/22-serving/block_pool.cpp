// Chapter 22, the books of a paged cache: counts of users, names, and the order in which unused blocks are taken.
#include "chapters/22-serving/block_pool.hpp"

#include "lib/base/check.hpp"

namespace cria {

size_t BlockPool::Hash::operator()(const Key& key) const {
  std::uint64_t hash = key.before;
  const auto mix = [&](std::uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  };
  for (const TokenId token : key.tokens) mix(static_cast<std::uint64_t>(token) + 1);
  return hash;
}

BlockPool::BlockPool(size_t blocks) : blocks_(blocks) {
  for (size_t i = 0; i < blocks; ++i) blocks_[i].place = unused_.insert(unused_.end(), BlockId(i));
}

const BlockPool::Block& BlockPool::at(BlockId block) const {
  require(block >= 0 && size_t(block) < blocks_.size(), "BlockPool", "there is no such block");
  return blocks_[size_t(block)];
}

std::optional<BlockId> BlockPool::take() {
  if (unused_.empty()) return std::nullopt;
  const BlockId id = unused_.front();
  Block& block = at(id);
  // solution: take
  forget_name(id);
  block.users = 1;
  in_use_.splice(in_use_.end(), unused_, block.place);
  // end of solution
  return id;
}

void BlockPool::share(BlockId id) {
  Block& block = at(id);
  // solution: share
  if (block.users == 0) in_use_.splice(in_use_.end(), unused_, block.place);
  if (block.users == 1) ++shared_;
  ++block.users;
  // end of solution
}

void BlockPool::release(BlockId id) {
  Block& block = at(id);
  require(block.users > 0, "BlockPool::release", "nobody uses the block");
  // solution: release
  --block.users;
  if (block.users == 1) --shared_;
  if (block.users > 0) return;
  // What has no name can serve nobody any more. What has one is kept for as long as possible.
  unused_.splice(block.name == no_block ? unused_.begin() : unused_.end(), in_use_, block.place);
  // end of solution
}

BlockName BlockPool::give_name(BlockId id, BlockName before, std::span<const TokenId> tokens) {
  Block& block = at(id);
  require(block.users > 0 && block.name == no_block, "BlockPool::give_name", "the block is unused or has a name");
  // solution: give_name
  const auto [at, is_new] = named_.try_emplace(Key{before, {tokens.begin(), tokens.end()}}, id);
  if (!is_new) return name(at->second);
  block.name = ++last_name_;
  block.key = &at->first;
  return block.name;
  // end of solution
}

void BlockPool::forget_name(BlockId id) {
  Block& block = at(id);
  if (block.name == no_block) return;
  named_.erase(named_.find(*block.key));
  block.name = no_block;
  block.key = nullptr;
}

std::optional<BlockId> BlockPool::find(BlockName before, std::span<const TokenId> tokens) const {
  const auto found = named_.find(Key{before, {tokens.begin(), tokens.end()}});
  if (found == named_.end()) return std::nullopt;
  return found->second;
}

}  // namespace cria
