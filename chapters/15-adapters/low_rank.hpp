// Chapter 15: a change of low rank to a linear layer (Hu et al. 2021, arXiv:2106.09685, section 4.1):
//
//   y = x Wᵀ + scale (x Aᵀ) Bᵀ        W (M, K) stays as it is, A (R, K) and B (M, R) learn
//
// R is small, so A and B have R (K + M) numbers where W has K M.
#pragma once

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// y += scale (x Aᵀ) Bᵀ. `inner` is memory for x Aᵀ.
void low_rank_forward(View<const real, 2> x,              // (N, K)
                      View<const real, 2> a,              // (R, K)
                      View<const real, 2> b, real scale,  // (M, R)
                      View<real, 2> inner,                // (N, R)
                      View<real, 2> y);                   // (N, M)

/// d_x, d_a and d_b += their gradients. d_x may be empty: then nothing below learns. `inner` and `d_inner` are memory.
void low_rank_backward(View<const real, 2> d_y,            // (N, M)
                       View<const real, 2> x,              // (N, K)
                       View<const real, 2> a,              // (R, K)
                       View<const real, 2> b, real scale,  // (M, R)
                       View<real, 2> inner,                // (N, R)
                       View<real, 2> d_inner,              // (N, R)
                       View<real, 2> d_x,                  // (N, K)
                       View<real, 2> d_a,                  // (R, K)
                       View<real, 2> d_b);                 // (M, R)

/// W += scale B A: afterwards x Wᵀ alone is what both gave together. With -scale it is taken out again.
void merge_low_rank(View<real, 2> weight,                // (M, K)
                    View<const real, 2> a,               // (R, K)
                    View<const real, 2> b, real scale);  // (M, R)

}  // namespace cria
