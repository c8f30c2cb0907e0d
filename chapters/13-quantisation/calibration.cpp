#include "chapters/13-quantisation/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "chapters/02-linear/linear.hpp"
#include "chapters/03-rmsnorm/rmsnorm.hpp"
#include "chapters/08-llama/block.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// The tokens up to the last that has a target.
size_t used_tokens(const Batch& batch) {
  const auto targets = batch.targets.span();
  const auto last = std::find_if(targets.rbegin(), targets.rend(), [](std::int32_t id) { return id != no_target; });
  return static_cast<size_t>(targets.rend() - last);
}

size_t longest(const std::vector<BatchMemory>& windows) {
  size_t most = 1;
  for (const BatchMemory& window : windows) most = std::max(most, window.batch().tokens.size());
  return most;
}

/// Room for what a single layer keeps for backward.
LlamaConfig one_layer(LlamaConfig config) {
  config.layers = 1;
  return config;
}

}  // namespace

const std::vector<LinearInput>& linear_inputs() {
  using Layer = LayerTensors<real>;
  static const std::vector<LinearInput> inputs = {
      {&LayerActivations::attention_normed,
       {{"self_attn.q_proj", &Layer::query}, {"self_attn.k_proj", &Layer::key}, {"self_attn.v_proj", &Layer::value}}},
      {&LayerActivations::attended, {{"self_attn.o_proj", &Layer::output}}},
      {&LayerActivations::feed_forward_normed, {{"mlp.gate_proj", &Layer::gate}, {"mlp.up_proj", &Layer::up}}},
      {&LayerActivations::gated, {{"mlp.down_proj", &Layer::down}}},
  };
  return inputs;
}

std::string matrix_name(size_t layer, const char* part) {
  return fmt::format("model.layers.{}.{}.weight", layer, part);
}

Calibration::Calibration(const LlamaWeights& weights, const std::vector<BatchMemory>& windows, ThreadPool& pool)
    : weights_(weights),
      pool_(pool),
      activations_(one_layer(weights.config), 1, longest(windows), longest(windows), Keep::all_layers, pool.size()) {
  size_t rows = 0;
  for (const BatchMemory& window : windows) {
    const Batch batch = window.batch();
    require(batch.tokens.shape(0) == 1, "Calibration", "expected windows of one sequence");
    const size_t used = used_tokens(batch);
    const auto first_key = batch.first_key.empty() ? batch.first_key : batch.first_key.first(used);
    if (used > 0) windows_.push_back({{rows, rows + used}, first_key});
    rows += used;
  }
  hidden_ = Array<real, 2>::from_shape({rows, weights.config.dim});
  auto window = windows_.begin();
  for (const BatchMemory& memory : windows) {
    const Batch batch = memory.batch();
    if (used_tokens(batch) == 0) continue;
    embedding_forward(batch.tokens.flat().rows(0, window->rows.size()), weights.tensors.embedding, hidden(*window));
    ++window;
  }
  std::iota(activations_.positions.begin(), activations_.positions.end(), 0);
  rope_angles(activations_.positions, activations_.frequencies, activations_.angles);
}

void Calibration::run(size_t layer, const Look* look, bool keep) {
  pool_.together([&](const Team& team) {
    for (const Window& window : windows_) {
      const size_t N = window.rows.size();
      LayerActivations a = activations_.layer(0).first_rows(N);
      a.input = hidden(window);
      if (keep) a.output = a.input;
      const RopeAngles angles{activations_.angles.cosine.rows(0, N), activations_.angles.sine.rows(0, N)};
      const BlockContext context{weights_.config, 1,   N, angles, window.first_key, activations_.scratch(team.rank()),
                                 nullptr,         team};
      block_forward(context, layer, weights_.tensors.layers[layer], a);
      if (look) (*look)(a, team);
      team.wait();  // the next window takes the same memory
    }
  });
}

void Calibration::look_at_head(const LookAtHead& look) {
  pool_.together([&](const Team& team) {
    for (const Window& window : windows_) {
      const Range rows = team.share(window.rows.size());
      const View<real, 2> normed = activations_.normed.rows(0, window.rows.size());
      rmsnorm_forward(hidden(window).rows(rows), weights_.tensors.norm, static_cast<real>(weights_.config.norm_eps),
                      normed.rows(rows), activations_.inverse_rms.rows(rows));
      team.wait();
      look(normed, team);
      team.wait();
    }
  });
}

}  // namespace cria
