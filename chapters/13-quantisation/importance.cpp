#include "chapters/13-quantisation/importance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "chapters/12-open-weights/tensor_names.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// Σ x² of each column, in double: a text may have millions of rows.
class Squares {
 public:
  explicit Squares(size_t columns) : sums_(columns), window_(columns) {}

  void add(View<const real, 2> x /*(N, K)*/, const Team& team) {
    const Range part = team.share(sums_.size(), 16);
    const View<real, 1> window = View<real, 1>(window_, {window_.size()}).rows(part);
    noalias(window) = 0;
    for (size_t n = 0; n < x.shape(0); ++n) noalias(window) += xt::square(x[n].part(part));
    for (size_t k = part.begin; k < part.end; ++k) sums_[k] += window_[k];
  }

  InputSquares result(size_t rows) const { return {{sums_.begin(), sums_.end()}, double(rows)}; }

 private:
  std::vector<double> sums_;
  std::vector<real> window_;
};

}  // namespace

std::vector<float> Importance::of(std::string_view name) const {
  const auto found = inputs.find(name);
  if (found == inputs.end() || found->second.count == 0) return {};
  std::vector<float> means;
  for (const float sum : found->second.sums) means.push_back(static_cast<float>(sum / found->second.count));
  return means;
}

Importance measure_importance(const LlamaWeights& weights, const std::vector<BatchMemory>& windows, ThreadPool& pool) {
  Calibration text(weights, windows, pool);
  Importance importance;
  importance.windows = windows.size();
  importance.positions = windows.empty() ? 0 : windows.front().batch().tokens.size();
  const LlamaConfig& c = weights.config;
  for (size_t layer = 0; layer < c.layers; ++layer) {
    std::vector<Squares> squares;
    for (const LinearInput& input : linear_inputs()) squares.emplace_back(text.columns(input));
    text.advance(layer, [&](const LayerActivations& a, const Team& team) {
      for (size_t i = 0; i < squares.size(); ++i) squares[i].add(a.*linear_inputs()[i].rows, team);
    });
    for (size_t i = 0; i < squares.size(); ++i)
      for (const auto& reader : linear_inputs()[i].readers)
        importance.inputs[parameter_name(matrix_name(layer, reader.part)).gguf] = squares[i].result(text.tokens());
  }
  Squares head(c.dim);
  text.look_at_head([&](View<const real, 2> normed, const Team& team) { head.add(normed, team); });
  importance.inputs["output.weight"] = head.result(text.tokens());
  for (const auto& [name, squares] : importance.inputs)
    if (!std::ranges::all_of(squares.sums, [](float sum) { return std::isfinite(sum); }))
      throw UserError(
          fmt::format("what {} reads is NaN or infinite, so the model's weights are probably damaged", name));
  if (c.tied_embeddings) importance.inputs.erase("output.weight");
  return importance;
}

}  // namespace cria
