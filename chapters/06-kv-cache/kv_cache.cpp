// Chapter 06, the cache of keys and values: a block of memory and counts.
#include "chapters/06-kv-cache/kv_cache.hpp"

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {
namespace {

/// to[(position + t) % capacity] = from[t]
void copy_rows(View<const real, 3> from, size_t position, View<real, 3> to) {
  for (size_t t = 0; t < from.shape(0); ++t) {
    const auto row = from[t].span();
    std::ranges::copy(row, to[(position + t) % to.shape(0)].data());
  }
}

}  // namespace

KvCache::KvCache(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences)
    : memory_(bytes(layers, capacity, kv_heads, head_dim, sequences) / sizeof(real)),
      keys_(memory_.take(Shape<5>{sequences, layers, capacity, kv_heads, head_dim})),
      values_(memory_.take(keys_.shape())),
      lengths_(sequences),
      appended_(sequences * layers) {
  require(!keys_.empty(), "KvCache", "layers, capacity, kv_heads, head_dim and sequences must not be zero");
}

size_t KvCache::bytes(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences) {
  return 2 * sizeof(real) * head_dim * kv_heads * layers * capacity * sequences;
}

void KvCache::append(size_t layer, View<const real, 3> k, View<const real, 3> v, size_t sequence) {
  const size_t T = k.shape(0);
  size_t& count = appended_[counter(layer, sequence)];
  require_shape("KvCache::append: k", k, Shape<3>{T, keys_.shape(3), keys_.shape(4)});
  require_shape("KvCache::append: v", v, k.shape());
  require(T == 0 || (k[0].contiguous() && v[0].contiguous()), "KvCache::append", "only the first axis may have gaps");
  require(T <= 1 || count + T <= capacity(), "KvCache::append", "beyond its capacity the cache takes single positions");
  // solution: append
  copy_rows(k, count, keys_[sequence][layer]);
  copy_rows(v, count, values_[sequence][layer]);
  count += T;
  // end of solution
}

View<const real, 3> KvCache::keys(size_t layer, size_t sequence) const { return filled(keys_, layer, sequence); }
View<const real, 3> KvCache::values(size_t layer, size_t sequence) const { return filled(values_, layer, sequence); }

View<const real, 3> KvCache::filled(View<const real, 5> from, size_t layer, size_t sequence) const {
  const size_t count = appended_[counter(layer, sequence)];
  return from[sequence][layer].rows(0, std::min(count, capacity()));
}

void KvCache::advance(size_t T, size_t sequence) {
  const size_t length = this->length(sequence) + T;
  for (size_t layer = 0; layer < keys_.shape(1); ++layer)
    require(appended_[counter(layer, sequence)] == length, "KvCache::advance",
            "a layer appended another number of positions");
  lengths_[sequence] = length;
}

size_t KvCache::length(size_t sequence) const {
  require(sequence < lengths_.size(), "KvCache", "there is no such sequence");
  return lengths_[sequence];
}

void KvCache::truncate(size_t length, size_t sequence) {
  require(length <= this->length(sequence), "KvCache::truncate", "the sequence is shorter than that");
  const auto counts = std::span(appended_).subspan(counter(0, sequence), keys_.shape(1));
  require(length == 0 || std::ranges::max(counts) <= capacity(), "KvCache::truncate",
          "the oldest positions are overwritten");
  lengths_[sequence] = length;
  std::ranges::fill(counts, length);
}

size_t KvCache::counter(size_t layer, size_t sequence) const {
  require(layer < keys_.shape(1), "KvCache", "there is no such layer");
  require(sequence < lengths_.size(), "KvCache", "there is no such sequence");
  return sequence * keys_.shape(1) + layer;
}

}  // namespace cria
