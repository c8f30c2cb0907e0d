// Chapter 05: attention, in which a position takes a weighted mean of what earlier positions hold.
//
// One function serves training, prompts and decoding: query t is the position of key S - T + t, so T = S in training
// and T = 1 for the next token after S - 1 cached ones. H query heads share G key/value heads: G = H is multi-head, G =
// 1 multi-query, and anything between grouped-query attention. It leaves out the projections around it (chapter 08),
// the rotation of q and k (chapter 04), and threads: a caller with several gives each a range of heads or of queries.
#pragma once

#include <cstdint>
#include <span>

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"
#include "lib/tensor/product.hpp"
#include "lib/tensor/stored_heads.hpp"

namespace cria {

/// x = softmax(x), one number after the other; returns log Σ exp(x). What softmax(x) of lib/tensor computes, before it
/// is fast: written once, and used by tests only. x has at least one number.
real plain_softmax(View<real, 1> x);

/// How many numbers of scratch memory attention over so many keys needs, forward or backward, for any number of
/// queries.
size_t attention_scratch_size(size_t keys);

/// out[t, h] = Σ_s p[t, s] v[s, g] with p[t] = softmax over the visible s of q[t, h]·k[s, g] / √Dh, g = h / (H / G)
/// (Vaswani et al. 2017, arXiv:1706.03762, equation 1; heads grouped as in Ainslie et al. 2023, arXiv:2305.13245).
/// Query t sees the keys first_key[t] … S - T + t. `log_sum_exp` is what backward needs to form p again.
///
/// Rows (the first axis) may be apart, as parts of a wider matrix; other axes are contiguous. Throws ContractError for
/// shapes that do not fit, G that does not divide H, T > S, a first key outside 0 … S - T + t, and small scratch.
void attention_forward(View<const real, 3> q,                    // (T, H, Dh)
                       View<const real, 3> k,                    // (S, G, Dh)
                       View<const real, 3> v,                    // (S, G, Dh)
                       std::span<const std::int32_t> first_key,  // (T), or empty: every query sees from key 0
                       View<real, 3> out,                        // (T, H, Dh)
                       View<real, 2> log_sum_exp,                // (T, H)
                       std::span<real> scratch);                 // attention_scratch_size(S)

/// The same over keys and values as a cache stores them, of which those that are narrow or lie apart are widened as
/// they are needed. There are two ways:
///
/// - Rows::together, of many queries: one group of heads at a time, for the same bits as attention over the widened
///   numbers.
/// - Rows::apart, and always of a single query, which is decoding: stored_part positions at a time, so that what is
/// read
///   from memory are the stored bytes, and numbers that were widened stay near until they have been used. The parts are
///   joined by their log_sum_exp (Dao et al. 2022, section 3.1). Each query has the bits that it has alone, however
///   the keys are stored; several queries take no first_key.
void attention_forward(View<const real, 3> q,                    // (T, H, Dh)
                       const StoredHeads& k,                     // (S, G, Dh)
                       const StoredHeads& v,                     // (S, G, Dh)
                       std::span<const std::int32_t> first_key,  // (T), or empty
                       View<real, 3> out,                        // (T, H, Dh)
                       View<real, 2> log_sum_exp,                // (T, H)
                       std::span<real> scratch,                  // stored_attention_scratch_size(type, S, H, Dh)
                       Rows rows = Rows::together);

/// Fixed, as the bits of a sum depend on its parts. With heads of width 64, keys and values of a group take 64 KiB.
constexpr size_t stored_part = 128;

/// Numbers of scratch memory for attention over up to so many stored keys, with that many query heads. For f32 in
/// blocks `keys` is to be above stored_part; of many queries together it needs as much as f16.
size_t stored_attention_scratch_size(CacheType type, size_t keys, size_t heads, size_t head_dim);

/// d_q, d_k and d_v += the gradients, from d_out and what forward took and gave. A key's gradient collects from every
/// query that saw it, in every head of its group.
void attention_backward(View<const real, 3> d_out,                // (T, H, Dh)
                        View<const real, 3> q,                    // (T, H, Dh)
                        View<const real, 3> k,                    // (S, G, Dh)
                        View<const real, 3> v,                    // (S, G, Dh)
                        std::span<const std::int32_t> first_key,  // (T), or empty
                        View<const real, 3> out,                  // (T, H, Dh)
                        View<const real, 2> log_sum_exp,          // (T, H)
                        View<real, 3> d_q,                        // (T, H, Dh)
                        View<real, 3> d_k,                        // (S, G, Dh)
                        View<real, 3> d_v,                        // (S, G, Dh)
                        std::span<real> scratch);                 // attention_scratch_size(S)

}  // namespace cria
