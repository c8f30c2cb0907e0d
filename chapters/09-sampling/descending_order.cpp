// Buckets, and the search for a place in the order.
#include "chapters/09-sampling/descending_order.hpp"

#include <algorithm>
#include <bit>

namespace cria {
namespace {

// The exponent and 5 bits of the mantissa: 32 buckets for each factor of two. Floats that are not negative are ordered
// as their bits are.
size_t bucket_of(real probability) {
  return std::bit_cast<std::uint32_t>(static_cast<float>(probability)) >> 18;
}

}  // namespace

DescendingOrder::DescendingOrder(size_t vocabulary_size) : buckets_(bucket_of(2)) {  // above 1: a softmax is rounded
  entries_.reserve(vocabulary_size);
}

void DescendingOrder::count(std::span<const real> probabilities, real least) {
  probabilities_ = probabilities;
  sorted_bucket_ = buckets_.size();
  std::ranges::fill(buckets_, Bucket{});
  Bucket* const buckets = buckets_.data();  // a local: a member would be read again after every write to a bucket
  for (const real probability : probabilities) {
    if (probability < least || probability == 0) continue;
    Bucket& bucket = buckets[bucket_of(probability)];
    bucket.mass += probability;
    bucket.count += 1;
  }
  lowest_ = 0;
  while (buckets[lowest_].count == 0) ++lowest_;
}

DescendingOrder::Prefix DescendingOrder::shortest_prefix(size_t count, double mass) {
  Prefix prefix;
  size_t bucket = buckets_.size() - 1;
  for (; bucket > lowest_; --bucket) {
    const Bucket& next = buckets_[bucket];
    if (next.count > 0 && (prefix.count + next.count >= count || prefix.mass + next.mass >= mass)) break;
    prefix.count += next.count;
    prefix.mass += next.mass;
  }
  for (const Entry& entry : sorted(bucket)) {
    prefix.count += 1;
    prefix.mass += entry.probability;
    prefix.last = entry;
    if (prefix.count >= count || prefix.mass >= mass) break;
  }
  return prefix;
}

std::span<const DescendingOrder::Entry> DescendingOrder::sorted(size_t bucket) {
  if (bucket == sorted_bucket_) return entries_;
  sorted_bucket_ = bucket;
  entries_.clear();
  for (size_t i = 0; i < probabilities_.size(); ++i)
    if (bucket_of(probabilities_[i]) == bucket) entries_.push_back({probabilities_[i], static_cast<std::int32_t>(i)});
  std::ranges::sort(entries_, before);
  return entries_;
}

}  // namespace cria
