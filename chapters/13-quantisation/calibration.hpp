// Calibration: a text on its way through a model, layer by layer, so that what the matrices read can be seen.
//
// How much an error in a weight matters depends on what it is multiplied with, which only a text shows. The forward
// pass is chapter 08's, and what it keeps for backward are just the inputs of the matrices. All of the text goes
// through one layer before it goes through the next: so there is room for what one layer keeps only, and a layer may be
// quantised before the next one is looked at, which then sees the errors that were made (Frantar et al. 2022,
// arXiv:2210.17323, section 5).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "chapters/08-llama/llama.hpp"
#include "chapters/11-pretraining/corpus.hpp"
#include "lib/base/thread_pool.hpp"
#include "lib/base/xtensor.hpp"

namespace cria {

/// One of the four inputs of a layer's matrices, and the matrices that read it.
struct LinearInput {
  struct Reader {
    const char* part;  // as in "model.layers.0.self_attn.q_proj.weight"
    View<real, 2> LayerTensors<real>::*matrix;
  };
  View<real, 2> LayerActivations::*rows;  // (N, K)
  std::vector<Reader> readers;
};
const std::vector<LinearInput>& linear_inputs();

/// The name of a layer's matrix: "model.layers.0.self_attn.q_proj.weight".
std::string matrix_name(size_t layer, const char* part);

class Calibration {
 public:
  /// Looks at rows of inputs, on every thread of a team: each does its share.
  using Look = std::function<void(const LayerActivations&, const Team&)>;
  using LookAtHead = std::function<void(View<const real, 2> normed, const Team&)>;

  /// The embedded text, windows of one sequence each; what is behind their last target is left out. The weights may
  /// change meanwhile. Weights, text and pool must outlive this.
  Calibration(const LlamaWeights& weights, const std::vector<BatchMemory>& windows, ThreadPool& pool);

  /// Tokens of the text.
  size_t tokens() const { return hidden_.shape(0); }
  /// The width of an input.
  size_t columns(const LinearInput& input) const { return (activations_.layer(0).*input.rows).shape(1); }

  /// Shows what the matrices of a layer read, for the text as it stands before that layer.
  void look(size_t layer, const Look& look) { run(layer, &look, false); }
  /// Takes the text through the layer, once `look` has seen each window on its way.
  void advance(size_t layer, const Look& look) { run(layer, &look, true); }
  void advance(size_t layer) { run(layer, nullptr, true); }
  /// Shows what the head reads, once the text is through all layers.
  void look_at_head(const LookAtHead& look);

 private:
  struct Window {
    Range rows;  // of hidden_
    std::span<const std::int32_t> first_key;
  };
  void run(size_t layer, const Look* look, bool keep);
  View<real, 2> hidden(const Window& window) { return view(hidden_).rows(window.rows); }

  const LlamaWeights& weights_;
  ThreadPool& pool_;
  std::vector<Window> windows_;
  Array<real, 2> hidden_;  // (tokens, C) the residual stream
  LlamaActivations activations_;
};

}  // namespace cria
