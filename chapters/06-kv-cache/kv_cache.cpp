// Chapter 06, the cache of keys and values: a block of memory and counts.
#include "chapters/06-kv-cache/kv_cache.hpp"

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {

KvCache::KvCache(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences, CacheType type)
    : type_(type),
      kv_heads_(kv_heads),
      head_dim_(head_dim),
      memory_(bytes(layers, capacity, kv_heads, head_dim, sequences, type)),
      keys_(memory_.take(Shape<4>{sequences, layers, capacity, stored_bytes(type, kv_heads * head_dim)})),
      values_(memory_.take(keys_.shape())),
      lengths_(sequences) {
  require(head_dim % block_size(type) == 0, "KvCache", "head_dim is no multiple of the type's block");
  require(!keys_.empty(), "KvCache", "layers, capacity, kv_heads, head_dim and sequences must not be zero");
}

size_t KvCache::bytes(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences,
                      CacheType type) {
  return 2 * stored_bytes(type, head_dim * kv_heads) * layers * capacity * sequences;
}

void KvCache::append(size_t layer, View<const real, 3> k, View<const real, 3> v, size_t sequence, size_t first_head) {
  require_place(layer, sequence);
  const size_t T = k.shape(0), heads = k.shape(1);
  require_shape("KvCache::append: k", k, Shape<3>{T, heads, head_dim_});
  require_shape("KvCache::append: v", v, k.shape());
  require(first_head + heads <= kv_heads_, "KvCache::append", "there are not so many heads");
  require(T == 0 || (k[0].contiguous() && v[0].contiguous()), "KvCache::append", "only the first axis may have gaps");
  const size_t length = lengths_[sequence];
  require(T <= 1 || length + T <= capacity(), "KvCache::append",
          "beyond its capacity the cache takes single positions");
  // solution: append
  copy_rows(k, length, keys_[sequence][layer], first_head);
  copy_rows(v, length, values_[sequence][layer], first_head);
  // end of solution
}

/// to[(position + t) % capacity] = from[t], from a head on
void KvCache::copy_rows(View<const real, 3> from, size_t position, View<std::uint8_t, 2> to, size_t first_head) const {
  const size_t begin = stored_bytes(type_, first_head * head_dim_);
  for (size_t t = 0; t < from.shape(0); ++t)
    store_numbers(type_, from[t].span(), to[(position + t) % to.shape(0)].data() + begin);
}

StoredHeads KvCache::keys(size_t layer, size_t sequence, size_t T) const { return filled(keys_, layer, sequence, T); }
StoredHeads KvCache::values(size_t layer, size_t sequence, size_t T) const {
  return filled(values_, layer, sequence, T);
}

StoredHeads KvCache::filled(View<const std::uint8_t, 4> from, size_t layer, size_t sequence, size_t T) const {
  require_place(layer, sequence);
  const Range rows = {0, std::min(lengths_[sequence] + T, capacity())};
  return {type_, from[sequence][layer].rows(rows), kv_heads_, head_dim_};
}

void KvCache::advance(size_t T, size_t sequence) { lengths_[sequence] = length(sequence) + T; }

size_t KvCache::length(size_t sequence) const {
  require(sequence < lengths_.size(), "KvCache", "there is no such sequence");
  return lengths_[sequence];
}

void KvCache::truncate(size_t length, size_t sequence) {
  require(length <= this->length(sequence), "KvCache::truncate", "the sequence is shorter than that");
  require(length == 0 || lengths_[sequence] <= capacity(), "KvCache::truncate", "the oldest positions are overwritten");
  lengths_[sequence] = length;
}

void KvCache::copy(const KvCache& from, size_t from_sequence, size_t sequence) {
  const Shape<4> shape = from.keys_.shape();
  require(type_ == from.type_ && head_dim_ == from.head_dim_ && shape[1] == keys_.shape(1) &&
              shape[2] == keys_.shape(2) && shape[3] == keys_.shape(3),
          "KvCache::copy", "the caches differ in layers, capacity, heads or type");
  require_place(0, sequence);
  const Range rows = {0, std::min(from.length(from_sequence), capacity())};
  if (this == &from && sequence == from_sequence) return;
  lengths_[sequence] = from.length(from_sequence);
  for (size_t layer = 0; layer < shape[1]; ++layer)
    for (const auto member : {&KvCache::keys_, &KvCache::values_})
      std::ranges::copy((from.*member)[from_sequence][layer].rows(rows).span(),
                        (this->*member)[sequence][layer].rows(rows).span().begin());
}

void KvCache::require_place(size_t layer, size_t sequence) const {
  require(layer < keys_.shape(1), "KvCache", "there is no such layer");
  require(sequence < lengths_.size(), "KvCache", "there is no such sequence");
}

}  // namespace cria
