// Chapter 06, the cache of keys and values: a block of memory and counts.
#include "chapters/06-kv-cache/kv_cache.hpp"

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// to[(position + t) % capacity] = from[t], from a head on
void copy_rows(View<const real, 3> from, size_t position, View<real, 3> to, size_t first_head) {
  const Range heads = {first_head, first_head + from.shape(1)};
  for (size_t t = 0; t < from.shape(0); ++t) noalias(to[(position + t) % to.shape(0)].rows(heads)) = from[t];
}

}  // namespace

KvCache::KvCache(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences)
    : memory_(bytes(layers, capacity, kv_heads, head_dim, sequences) / sizeof(real)),
      keys_(memory_.take(Shape<5>{sequences, layers, capacity, kv_heads, head_dim})),
      values_(memory_.take(keys_.shape())),
      lengths_(sequences) {
  require(!keys_.empty(), "KvCache", "layers, capacity, kv_heads, head_dim and sequences must not be zero");
}

size_t KvCache::bytes(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences) {
  return 2 * sizeof(real) * head_dim * kv_heads * layers * capacity * sequences;
}

void KvCache::append(size_t layer, View<const real, 3> k, View<const real, 3> v, size_t sequence, size_t first_head) {
  require_place(layer, sequence);
  const size_t T = k.shape(0), heads = k.shape(1);
  require_shape("KvCache::append: k", k, Shape<3>{T, heads, keys_.shape(4)});
  require_shape("KvCache::append: v", v, k.shape());
  require(first_head + heads <= keys_.shape(3), "KvCache::append", "there are not so many heads");
  require(T == 0 || (k[0].contiguous() && v[0].contiguous()), "KvCache::append", "only the first axis may have gaps");
  const size_t length = lengths_[sequence];
  require(T <= 1 || length + T <= capacity(), "KvCache::append",
          "beyond its capacity the cache takes single positions");
  // solution: append
  copy_rows(k, length, keys_[sequence][layer], first_head);
  copy_rows(v, length, values_[sequence][layer], first_head);
  // end of solution
}

View<const real, 3> KvCache::keys(size_t layer, size_t sequence, size_t T) const {
  return filled(keys_, layer, sequence, T);
}
View<const real, 3> KvCache::values(size_t layer, size_t sequence, size_t T) const {
  return filled(values_, layer, sequence, T);
}

View<const real, 3> KvCache::filled(View<const real, 5> from, size_t layer, size_t sequence, size_t T) const {
  require_place(layer, sequence);
  return from[sequence][layer].rows(0, std::min(lengths_[sequence] + T, capacity()));
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

void KvCache::require_place(size_t layer, size_t sequence) const {
  require(layer < keys_.shape(1), "KvCache", "there is no such layer");
  require(sequence < lengths_.size(), "KvCache", "there is no such sequence");
}

}  // namespace cria
