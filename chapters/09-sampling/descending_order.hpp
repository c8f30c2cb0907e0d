// DescendingOrder: tokens from the most probable down, without sorting the vocabulary.
//
// Tokens are counted into buckets by the leading bits of their probabilities. To find a place in the order, whole
// buckets are passed over, and only the one in which the place lies is sorted. That takes time in proportion to the
// vocabulary, however flat the distribution.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

class DescendingOrder {
 public:
  struct Entry {
    real probability;
    std::int32_t token;
  };
  /// The first `count` tokens of the order: their probabilities together, and the last of them.
  struct Prefix {
    size_t count = 0;
    double mass = 0;
    Entry last{};

    /// Whether the token with this probability is in it.
    bool contains(Entry entry) const { return !before(last, entry); }
  };

  /// Reserves what it needs; no other function allocates.
  explicit DescendingOrder(size_t vocabulary_size);

  /// Counts the tokens of at least this probability (and above 0; there must be one). The probabilities, each at most
  /// 1 but for rounding, must stay as they are while `shortest_prefix` is used.
  void count(std::span<const real> probabilities /*(V)*/, real least);

  /// The shortest prefix that has this many tokens or this mass, whichever comes first; all if neither is reached.
  Prefix shortest_prefix(size_t count, double mass);

 private:
  struct Bucket {
    double mass = 0;
    size_t count = 0;
  };

  /// The larger probability comes first, and of equal ones the smaller id.
  static bool before(Entry a, Entry b) {
    return a.probability != b.probability ? a.probability > b.probability : a.token < b.token;
  }
  std::span<const Entry> sorted(size_t bucket);

  std::span<const real> probabilities_;
  std::vector<Bucket> buckets_;
  size_t lowest_ = 0;           // the lowest bucket that is not empty
  std::vector<Entry> entries_;  // the content of one bucket, sorted
  size_t sorted_bucket_ = 0;    // which one
};

}  // namespace cria
