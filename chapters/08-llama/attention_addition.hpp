// AttentionAddition: something that attention's heads get beside what they attend to, as a Weight's Addition is
// something beside a product. An adapter may bring one (chapter 15); the wiring knows nothing else of it.
#pragma once

#include "lib/base/view.hpp"
#include "lib/tensor/product.hpp"

namespace cria {

class AttentionAddition {
 public:
  virtual ~AttentionAddition() = default;
  /// out += the addition's part, for some of the heads: whole groups that share keys. Several threads may call it at
  /// once, each for heads of its own. With Rows::apart each row has the bits that it has alone.
  virtual void forward(View<const real, 3> q,  // (N, heads, Dh), after RoPE
                       Range heads,            // of H
                       View<real, 3> out,      // (N, heads, Dh)
                       Rows rows) const = 0;
  /// d_q += its gradient; and the same for its own parameters, if they learn, where it keeps it. For all heads.
  virtual void backward(View<const real, 3> d_out,     // (N, H, Dh)
                        View<const real, 3> q,         // (N, H, Dh)
                        View<real, 3> d_q) const = 0;  // (N, H, Dh)
  /// `out` without the addition's part, which is what attention's backward asks for; in memory of the calling thread,
  /// until its next call.
  virtual View<const real, 3> taken_from(View<const real, 3> out,           // (N, H, Dh)
                                         View<const real, 3> q) const = 0;  // (N, H, Dh)
};

}  // namespace cria
