// Chapter 02: the matrix product that does nearly all of a Llama's arithmetic, and the embedding that feeds it.
//
// No bias: Llama has none anywhere. Weights are stored (out, in), as PyTorch and Hugging Face store them.
#pragma once

#include <cstdint>

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"
#include "lib/tensor/weight.hpp"

namespace cria {

/// c = a b, number by number: what matmul(a, b) computes, before it is fast. Written once, and used by tests only.
void plain_product(View<const real, 2> a,  // (N, K)
                   View<const real, 2> b,  // (K, M)
                   View<real, 2> c);       // (N, M)

/// y = x Wᵀ. Rows of x and y may be apart by more than their width (parts of a wider matrix).
/// Throws ContractError when the shapes do not fit.
void linear_forward(View<const real, 2> x,       // (N, K)
                    View<const real, 2> weight,  // (M, K)
                    View<real, 2> y);            // (N, M)

/// The same for a weight that knows its type: one of `real` is multiplied as above, a packed one as it is stored, with
/// x as `rounded` where that is there and needed. What it carries as an addition is added, and may have changed what is
/// read. With Rows::apart each row of the product has the bits that it has alone.
void linear_forward(View<const real, 2> x, const Weight& weight, View<real, 2> y, const RoundedRows& rounded = {},
                    Rows rows = Rows::together);

/// d_x += d_y W and d_weight += d_yᵀ x.
void linear_backward(View<const real, 2> d_y,     // (N, M)
                     View<const real, 2> x,       // (N, K)
                     View<const real, 2> weight,  // (M, K)
                     View<real, 2> d_x,           // (N, K)
                     View<real, 2> d_weight);     // (M, K)

/// The same for a weight that knows its type, and its addition's gradients. A weight that is not to learn has an empty
/// d_weight, and a packed one always: then its gradient is not formed. Nor is d_x where that is empty.
void linear_backward(View<const real, 2> d_y, View<const real, 2> x, const Weight& weight, View<real, 2> d_x,
                     View<real, 2> d_weight);

/// Row n of out is the table's row tokens[n]. Throws ContractError when a token is not in 0 … V - 1.
void embedding_forward(View<const std::int32_t, 1> tokens,  // (N)
                       View<const real, 2> table,           // (V, C)
                       View<real, 2> out);                  // (N, C)
void embedding_forward(View<const std::int32_t, 1> tokens, const Weight& table, View<real, 2> out);

/// d_table's row tokens[n] += d_out's row n: a token that occurs twice collects both gradients. A table that is not to
/// learn has an empty d_table.
void embedding_backward(View<const real, 2> d_out,           // (N, C)
                        View<const std::int32_t, 1> tokens,  // (N)
                        View<real, 2> d_table);              // (V, C)

}  // namespace cria
