// Chapter 15: what LLaMA-Adapter adds to attention (Zhang et al. 2023, arXiv:2303.16199, section 3.2): each query
// attends to P learned vectors as well, with a softmax of their own, and a gate says how much of what they give is
// added:
//
//   out[t, h] += g[h] Σ_p w[t, p] v[p]      w[t] = softmax over all p of q[t, h]·k[p] / √Dh
//
// Keys and values are those of the vectors; they have no position, so they are not rotated (chapter 04) and every query
// sees them all.
#pragma once

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// out += the gated attention to the prefix. H/G query heads share a key/value head, as in chapter 05. `weights` is
/// memory for the w of one head. Only the first axes may have gaps between rows.
void prefix_attention_forward(View<const real, 3> q,     // (N, H, Dh)
                              View<const real, 3> k,     // (P, G, Dh)
                              View<const real, 3> v,     // (P, G, Dh)
                              View<const real, 1> gate,  // (H)
                              View<real, 2> weights,     // (N, P)
                              View<real, 3> out);        // (N, H, Dh)

/// d_q, d_k, d_v and d_gate += their gradients. `weights` and `d_weights` are memory.
void prefix_attention_backward(View<const real, 3> d_out,  // (N, H, Dh)
                               View<const real, 3> q,      // (N, H, Dh)
                               View<const real, 3> k,      // (P, G, Dh)
                               View<const real, 3> v,      // (P, G, Dh)
                               View<const real, 1> gate,   // (H)
                               View<real, 2> weights,      // (N, P)
                               View<real, 2> d_weights,    // (N, P)
                               View<real, 3> d_q,          // (N, H, Dh)
                               View<real, 3> d_k,          // (P, G, Dh)
                               View<real, 3> d_v,          // (P, G, Dh)
                               View<real, 1> d_gate);      // (H)

/// g = tanh(x), a number for each head (equation 8): 0 to begin with, so that a new prefix changes nothing, and never
/// above 1.
void gate_forward(View<const real, 1> x,  // (H)
                  View<real, 1> gate);    // (H)
/// d_x += its gradient.
void gate_backward(View<const real, 1> d_gate,  // (H)
                   View<const real, 1> gate,    // (H)
                   View<real, 1> d_x);          // (H)

}  // namespace cria
