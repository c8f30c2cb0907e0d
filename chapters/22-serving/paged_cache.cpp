// Chapter 22, the paged cache: tables of blocks, and the numbers in them.
#include "chapters/22-serving/paged_cache.hpp"

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {
namespace {

size_t blocks_of(size_t positions, size_t block_size) { return (positions + block_size - 1) / block_size; }

}  // namespace

size_t PagedCache::bytes(const PagedCacheSize& s) {
  return 2 * stored_bytes(s.type, s.head_dim * s.kv_heads) * s.layers * s.block_size * s.blocks;
}

PagedCache::PagedCache(const PagedCacheSize& s)
    : size_(s),
      pool_(s.blocks),
      memory_(bytes(s)),
      keys_(memory_.take(Shape<3>{s.layers, s.blocks * s.block_size, stored_bytes(s.type, s.kv_heads * s.head_dim)})),
      values_(memory_.take(keys_.shape())),
      sequences_(s.sequences) {
  require(!keys_.empty() && s.sequences > 0, "PagedCache", "no size may be zero");
  require(s.head_dim % cria::block_size(s.type) == 0, "PagedCache", "head_dim is no multiple of the type's block");
}

const PagedCache::Sequence& PagedCache::at(size_t sequence) const {
  require(sequence < sequences_.size(), "PagedCache", "there is no such sequence");
  return sequences_[sequence];
}

size_t PagedCache::begin(size_t sequence, std::span<const TokenId> tokens) {
  Sequence& s = at(sequence);
  require(s.table.empty() && !tokens.empty(), "PagedCache::begin", "the sequence has begun, or there are no tokens");
  const size_t B = size_.block_size;
  // solution: begin
  BlockName before = no_block;
  for (size_t first = 0; first + B <= tokens.size(); first += B) {
    const std::optional<BlockId> block = pool_.find(before, tokens.subspan(first, B));
    if (!block) break;
    pool_.share(*block);
    before = pool_.name(*block);
    s.table.push_back(*block);
    s.names.push_back(before);
  }
  s.length = std::min(s.table.size() * B, tokens.size() - 1);
  // end of solution
  return s.length;
}

bool PagedCache::must_copy(size_t sequence) const {
  const Sequence& s = at(sequence);
  const size_t block = s.length / size_.block_size;
  return block < s.table.size() && pool_.users(s.table[block]) > 1;
}

size_t PagedCache::blocks_for(size_t sequence, size_t T) const {
  const Sequence& s = at(sequence);
  if (T == 0) return 0;
  const size_t all = blocks_of(s.length + T, size_.block_size);
  return all - std::min(all, s.table.size()) + must_copy(sequence);
}

bool PagedCache::reserve(size_t sequence, size_t T) {
  Sequence& s = at(sequence);
  if (blocks_for(sequence, T) > pool_.unused()) return false;
  if (T == 0) return true;
  // solution: reserve
  const size_t block = s.length / size_.block_size;
  if (must_copy(sequence)) s.table[block] = copied(s.table[block], s.length % size_.block_size);
  if (block < s.table.size()) pool_.forget_name(s.table[block]);
  s.names.resize(std::min(s.names.size(), block));
  while (s.table.size() < blocks_of(s.length + T, size_.block_size)) s.table.push_back(*pool_.take());
  // end of solution
  return true;
}

/// A block for one text alone, with the first rows of another, which it leaves.
BlockId PagedCache::copied(BlockId from, size_t rows) {
  const BlockId to = *pool_.take();
  // solution: copied
  const auto place = [&](BlockId block) { return size_t(block) * size_.block_size; };
  for (const View<std::uint8_t, 3>& numbers : {keys_, values_})
    for (size_t layer = 0; layer < size_.layers && rows > 0; ++layer)
      std::ranges::copy(numbers[layer].rows(place(from), place(from) + rows).span(),
                        numbers[layer].rows(place(to), place(to) + rows).span().begin());
  pool_.release(from);
  // end of solution
  return to;
}

void PagedCache::publish(size_t sequence, std::span<const TokenId> tokens) {
  Sequence& s = at(sequence);
  require(tokens.size() >= s.length, "PagedCache::publish", "there are fewer tokens than positions");
  const size_t B = size_.block_size;
  // solution: publish
  for (size_t i = s.names.size(); (i + 1) * B <= s.length; ++i) {
    const BlockName before = i == 0 ? no_block : s.names[i - 1];
    s.names.push_back(pool_.give_name(s.table[i], before, tokens.subspan(i * B, B)));
  }
  // end of solution
}

void PagedCache::truncate(size_t sequence, size_t length) {
  Sequence& s = at(sequence);
  require(length <= s.length || length == 0, "PagedCache::truncate", "the sequence is shorter than that");
  // solution: truncate
  // The last ones first, so that of unused blocks a text's end is forgotten before its beginning, without which it
  // could not be found.
  while (s.table.size() > blocks_of(length, size_.block_size)) {
    pool_.release(s.table.back());
    s.table.pop_back();
  }
  s.names.resize(std::min(s.names.size(), length / size_.block_size));
  s.length = length;
  // end of solution
}

void PagedCache::append(size_t layer, View<const real, 3> k, View<const real, 3> v, size_t sequence,
                        size_t first_head) {
  const Sequence& s = at(sequence);
  const size_t T = k.shape(0), heads = k.shape(1);
  require(layer < size_.layers, "PagedCache", "there is no such layer");
  require_shape("PagedCache::append: k", k, Shape<3>{T, heads, size_.head_dim});
  require_shape("PagedCache::append: v", v, k.shape());
  require(first_head + heads <= size_.kv_heads, "PagedCache::append", "there are not so many heads");
  require(s.length + T <= s.table.size() * size_.block_size, "PagedCache::append", "the positions are not reserved");
  store(k, s, keys_[layer], first_head);
  store(v, s, values_[layer], first_head);
}

void PagedCache::store(View<const real, 3> from, const Sequence& s, View<std::uint8_t, 2> to, size_t first_head) const {
  const size_t begin = stored_bytes(size_.type, first_head * size_.head_dim), B = size_.block_size;
  // solution: store
  for (size_t t = 0; t < from.shape(0); ++t) {
    const size_t position = s.length + t, row = size_t(s.table[position / B]) * B + position % B;
    store_numbers(size_.type, from[t].span(), to[row].data() + begin);
  }
  // end of solution
}

StoredHeads PagedCache::keys(size_t layer, size_t sequence, size_t T) const {
  return filled(keys_, layer, sequence, T);
}
StoredHeads PagedCache::values(size_t layer, size_t sequence, size_t T) const {
  return filled(values_, layer, sequence, T);
}

StoredHeads PagedCache::filled(View<const std::uint8_t, 3> from, size_t layer, size_t sequence, size_t T) const {
  const Sequence& s = at(sequence);
  return {size_.type, BlockedRows{from[layer], s.table, size_.block_size}, s.length + T, size_.kv_heads,
          size_.head_dim};
}

void PagedCache::advance(size_t T, size_t sequence) {
  Sequence& s = at(sequence);
  require(s.length + T <= s.table.size() * size_.block_size, "PagedCache::advance", "the positions are not reserved");
  s.length += T;
}

}  // namespace cria
