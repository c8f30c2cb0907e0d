// A prefix of learned vectors as an addition to a layer's attention, with its memory: what the model's wiring calls.
#pragma once

#include <vector>

#include "chapters/08-llama/attention_addition.hpp"
#include "chapters/08-llama/config.hpp"
#include "lib/tensor/weight.hpp"

namespace cria {

/// How much of a prefix's attention is added: tanh of a number for each head, as in the paper, or one number for the
/// layer as it is, as in PEFT.
enum class GateKind { head, layer };

/// The learned numbers of one layer's prefix, or their gradients.
template <class T>
struct GatedPrefix {
  View<T, 2> prompt;  // (P, C) what the layer's keys and values are formed of
  View<T, 1> gate;    // (H), or (1)
};

class PrefixAddition : public AttentionAddition {
 public:
  /// `gradients` are empty where nothing is learned: then keys and values are formed here, once; else in each forward
  /// pass anew, which one thread has to itself. `key` and `value` are the layer's own weights.
  PrefixAddition(const LlamaConfig& config, const GatedPrefix<const real>& prefix, GateKind kind, const Weight& key,
                 const Weight& value, const GatedPrefix<real>& gradients);
  PrefixAddition(PrefixAddition&&) = default;  // its views are of its own memory, so it is not copied

  void forward(View<const real, 3> q, Range heads, View<real, 3> out, Rows rows) const override;
  void backward(View<const real, 3> d_out, View<const real, 3> q, View<real, 3> d_q) const override;
  View<const real, 3> taken_from(View<const real, 3> out, View<const real, 3> q) const override;

 private:
  bool learns() const { return !gradients_.prompt.empty(); }
  /// keys, values and gates of the numbers as they are now.
  void form() const;
  View<real, 3> by_head(View<real, 2> x) const { return x.reshape(Shape<3>{x.shape(0), groups_, head_dim_}); }

  size_t groups_, head_dim_;
  GatedPrefix<const real> prefix_;
  GateKind kind_;
  Weight key_weight_, value_weight_;
  GatedPrefix<real> gradients_;
  std::vector<real> memory_;
  View<real, 2> key_, value_, d_key_, d_value_;  // (P, G*Dh)
  View<real, 1> gate_, minus_gate_, d_gate_;     // (H)
};

}  // namespace cria
