// A text's queries, keys and values, for the tests of chapter 06.
#pragma once

#include "chapters/05-attention/attention.hpp"
#include "chapters/06-kv-cache/kv_cache.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

/// q, k and v of T positions of one layer, and attention over them at once: what decoding has to give piece by piece.
struct Text {
  Array<real, 3> q, k, v, out;

  Text(size_t T, size_t H, size_t G, size_t Dh, std::uint64_t seed, std::span<const std::int32_t> first_key = {})
      : q(random_array<3>({T, H, Dh}, seed)),
        k(random_array<3>({T, G, Dh}, seed + 1)),
        v(random_array<3>({T, G, Dh}, seed + 2)),
        out(unwritten<3>({T, H, Dh})) {
    attend(view<real, 3>(q), StoredHeads(view<real, 3>(k)), StoredHeads(view<real, 3>(v)), first_key, view(out));
  }

  static void attend(View<const real, 3> q, const StoredHeads& k, const StoredHeads& v,
                     std::span<const std::int32_t> first_key, View<real, 3> out) {
    std::vector<real> scratch(stored_attention_scratch_size(k.type(), k.shape(0), q.shape(1), q.shape(2)));
    Array<real, 2> log_sum_exp(Shape<2>{q.shape(0), q.shape(1)});
    attention_forward(q, k, v, first_key, out, view(log_sum_exp), scratch);
  }

  /// Appends positions begin … end - 1 and attends for them, through the cache.
  void decode(KvCache& cache, size_t begin, size_t end, View<real, 3> decoded, size_t layer = 0, size_t sequence = 0) {
    cache.append(layer, view(k).rows(begin, end), view(v).rows(begin, end), sequence);
    const size_t T = end - begin;
    attend(view(q).rows(begin, end), cache.keys(layer, sequence, T), cache.values(layer, sequence, T), {},
           decoded.rows(begin, end));
  }
};

}  // namespace cria::testing
