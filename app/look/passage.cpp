#include "app/look/passage.hpp"

#include "chapters/03-rmsnorm/rmsnorm.hpp"
#include "lib/base/check.hpp"

namespace cria::look {
namespace {

/// Sits where an adapter would, so that the wiring of chapter 08 runs as it is. What an adapter does there stays.
class Visitor : public AttentionAddition {
 public:
  explicit Visitor(const AttentionAddition* other) : other_(other) {}

  void forward(View<const real, 3> q, Range heads, View<real, 3> out, Rows rows) const override {
    if (other_) other_->forward(q, heads, out, rows);
  }
  void backward(View<const real, 3>, View<const real, 3>, View<real, 3>) const override {
    require(false, "Passage", "a model that is looked into does not learn");
  }
  View<const real, 3> taken_from(View<const real, 3> out, View<const real, 3>) const override { return out; }

 private:
  const AttentionAddition* other_;
};

/// Asks whether the pass is to go on.
class Asking : public Visitor {
 public:
  Asking(const Ask& ask, const AttentionAddition* other) : Visitor(other), ask_(ask) {}

  void forward(View<const real, 3> q, Range heads, View<real, 3> out, Rows rows) const override {
    ask_();
    Visitor::forward(q, heads, out, rows);
  }

 private:
  const Ask& ask_;
};

/// Instead of adding to what a head attended to, takes it away.
class HeadOff : public Visitor {
 public:
  HeadOff(size_t head, const AttentionAddition* other) : Visitor(other), head_(head) {}

  void forward(View<const real, 3> q, Range heads, View<real, 3> out, Rows rows) const override {
    Visitor::forward(q, heads, out, rows);
    if (head_ < heads.begin || head_ >= heads.end) return;
    for (size_t n = 0; n < out.shape(0); ++n)
      for (size_t d = 0; d < out.shape(2); ++d) out(n, head_ - heads.begin, d) = 0;
  }

 private:
  size_t head_;
};

}  // namespace

Passage::Passage(const LlamaWeights& weights, std::vector<TokenId> tokens, Ask ask)
    : ask_(std::move(ask)),
      weights_(weights),
      tokens_(std::move(tokens)),
      activations_(config(), 1, size(), size(), Keep::all_layers),
      logits_(size() * config().vocabulary_size) {
  for (LayerWeights& layer : weights_.tensors.layers) {
    if (!ask_) break;
    asking_.push_back(std::make_unique<Asking>(ask_, layer.addition));
    layer.addition = asking_.back().get();
  }
  llama_forward(weights_, {input()}, activations_);
  this->ask();
  llama_logits(weights_, activations_.normed, View<real, 2>(logits_.data(), {size(), config().vocabulary_size}));
}

std::vector<real> Passage::lens(size_t layer) const {
  ask();
  const size_t T = size(), C = config().dim, V = config().vocabulary_size;
  std::vector<real> normed(T * C), inverse_rms(T), logits(T * V);
  const View<const real, 2> stream =
      layer < config().layers ? activations_.layer(layer).input : activations_.last_layer().output;
  rmsnorm_forward(stream, weights_.tensors.norm, real(config().norm_eps), View<real, 2>(normed.data(), {T, C}),
                  View<real, 1>(inverse_rms.data(), {T}));
  llama_logits(weights_, View<const real, 2>(normed.data(), {T, C}), View<real, 2>(logits.data(), {T, V}));
  return logits;
}

std::vector<real> Passage::without_head(size_t layer, size_t head) const {
  LlamaWeights weights = weights_;
  LayerWeights& changed = weights.tensors.layers.at(layer);
  require(head < config().heads, "without_head", "the layer has fewer heads");
  const HeadOff off(head, changed.addition);
  changed.addition = &off;
  LlamaActivations activations(config(), 1, size(), size(), Keep::one_layer);
  llama_forward(weights, {input()}, activations);
  std::vector<real> logits(config().vocabulary_size);
  llama_logits(weights, activations.normed.rows(size() - 1, size()), View<real, 2>(logits.data(), {1, logits.size()}));
  return logits;
}

double Passage::operations() const { return prompt_operations(config(), size()); }

}  // namespace cria::look
