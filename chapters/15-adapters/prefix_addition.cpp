#include "chapters/15-adapters/prefix_addition.hpp"

#include <algorithm>

#include "chapters/02-linear/linear.hpp"
#include "chapters/15-adapters/prefix_attention.hpp"
#include "lib/base/check.hpp"
#include "lib/simd/workspace.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

std::span<real> thread_memory(size_t numbers) {
  void* memory = simd::workspace(numbers * sizeof(real), simd::WorkspaceUse::component);
  return {static_cast<real*>(memory), numbers};
}

}  // namespace

PrefixAddition::PrefixAddition(const LlamaConfig& config, const GatedPrefix<const real>& prefix, GateKind kind,
                               const Weight& key, const Weight& value, const GatedPrefix<real>& gradients)
    : groups_(config.kv_heads),
      head_dim_(config.head_dim),
      prefix_(prefix),
      kind_(kind),
      key_weight_(key),
      value_weight_(value),
      gradients_(gradients) {
  const size_t H = config.heads, P = prefix.prompt.shape(0), width = groups_ * head_dim_;
  memory_.resize(4 * P * width + 3 * H);
  real* next = memory_.data();
  for (View<real, 2>* view : {&key_, &value_, &d_key_, &d_value_})
    *view = View<real, 2>(next, {P, width}), next += P * width;
  for (View<real, 1>* view : {&gate_, &minus_gate_, &d_gate_}) *view = View<real, 1>(next, {H}), next += H;
  if (!learns()) form();
}

void PrefixAddition::form() const {
  linear_forward(prefix_.prompt, key_weight_, key_);
  linear_forward(prefix_.prompt, value_weight_, value_);
  if (kind_ == GateKind::head)
    gate_forward(prefix_.gate, gate_);
  else
    noalias(gate_) = prefix_.gate(0);
  noalias(minus_gate_) = -gate_;
}

void PrefixAddition::forward(View<const real, 3> q, Range heads, View<real, 3> out, Rows rows) const {
  const size_t N = q.shape(0), at_once = rows == Rows::apart ? 1 : N, per_group = gate_.size() / groups_;
  const Range groups = {heads.begin / per_group, heads.end / per_group};
  if (learns()) {
    require(heads.size() == gate_.size(), "PrefixAddition", "one thread forms the keys of what learns");
    form();
  }
  const View<real, 2> weights(thread_memory(at_once * key_.shape(0)), {at_once, key_.shape(0)});
  for (size_t n = 0; n < N; n += at_once)
    prefix_attention_forward(q.rows(n, n + at_once), by_head(key_).columns(groups), by_head(value_).columns(groups),
                             gate_.part(heads), weights, out.rows(n, n + at_once));
}

void PrefixAddition::backward(View<const real, 3> d_out, View<const real, 3> q, View<real, 3> d_q) const {
  require(learns(), "PrefixAddition", "the adapter was attached to be read, not to learn");
  const Shape<2> shape = {q.shape(0), key_.shape(0)};
  const std::span<real> memory = thread_memory(2 * element_count(shape));
  const View<real, 2> weights(memory, shape), d_weights(memory.subspan(weights.size()), shape);
  noalias(d_key_) = 0;
  noalias(d_value_) = 0;
  noalias(d_gate_) = 0;
  prefix_attention_backward(d_out, q, by_head(key_), by_head(value_), gate_, weights, d_weights, d_q, by_head(d_key_),
                            by_head(d_value_), d_gate_);
  // keys and values = prompt times the layer's weights
  linear_backward(d_key_, prefix_.prompt, key_weight_, gradients_.prompt, {});
  linear_backward(d_value_, prefix_.prompt, value_weight_, gradients_.prompt, {});
  if (kind_ == GateKind::head)
    gate_backward(d_gate_, gate_, gradients_.gate);
  else
    for (const real d : d_gate_.span()) gradients_.gate(0) += d;
}

View<const real, 3> PrefixAddition::taken_from(View<const real, 3> out, View<const real, 3> q) const {
  const Shape<2> shape = {q.shape(0), key_.shape(0)};
  const std::span<real> memory = thread_memory(out.size() + element_count(shape));
  const View<real, 3> own(memory, out.shape());
  std::ranges::copy(out.span(), own.span().begin());
  prefix_attention_forward(q, by_head(key_), by_head(value_), minus_gate_, {memory.subspan(out.size()), shape}, own);
  return own;
}

}  // namespace cria
