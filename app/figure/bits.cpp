// Chapter 13: what the model's weights lose in blocks of each type, by the bits that a weight then takes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/run/sample.hpp"
#include "app/thread_count.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "chapters/12-open-weights/weight_bytes.hpp"
#include "chapters/13-quantisation/divergence.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/encode.hpp"
#include "lib/grammar/generate.hpp"

namespace cria::figure {
namespace {

constexpr ElementType types[] = {ElementType::q8_0,   ElementType::q6_k,   ElementType::q5_k, ElementType::q5_1,
                                 ElementType::q5_0,   ElementType::q4_k,   ElementType::q4_1, ElementType::q4_0,
                                 ElementType::iq4_nl, ElementType::iq4_xs, ElementType::q3_k, ElementType::q2_k};
constexpr size_t stories = 32;

/// Blocks of this type in all matrices: no row is left over.
bool fits(const LlamaParameters& weights, ElementType type) {
  bool all = true;
  weights.for_each([&](const std::string&, const auto& view) {
    all = all && (view.shape().size() == 1 || view.shape().back() % type_layout(type).numbers == 0);
  });
  return all;
}

/// The weights as they are read back from blocks, which a search has found or plain rounding.
LlamaParameters in_blocks(const LlamaParameters& weights, ElementType type, bool searched, ThreadPool& pool) {
  LlamaParameters rounded(weights.config());
  std::ranges::copy(weights.flat(), rounded.flat().begin());
  rounded.for_each([&](const std::string&, const auto& view) {
    if (view.shape().size() == 1) return;
    std::string bytes;
    if (searched)
      quantise_rows(pool, type, view.shape().back(), view.span(), {}, bytes);
    else
      encode_elements(type, view.span(), bytes);
    convert_elements(type, reinterpret_cast<const std::byte*>(bytes.data()), view.span());
  });
  return rounded;
}

std::vector<std::vector<TokenId>> story_tokens(const Model& model) {
  const Grammar grammar = Grammar::load(data_folder() / "stories" / "stories.grammar");
  Random random(1);
  std::vector<std::vector<TokenId>> texts;
  for (size_t i = 0; i < stories; ++i) {
    texts.push_back(prompt_tokens(model, generate(grammar, random).text));
    texts.back().resize(std::min(texts.back().size(), model.config.llama.context));
  }
  return texts;
}

/// Nats per token, the mean over all places of the texts.
double divergence_of(const LlamaParameters& rounded, const LlamaParameters& weights,
                     const std::vector<std::vector<TokenId>>& texts, ThreadPool& pool) {
  std::vector<double> sums(texts.size());
  size_t count = 0;
  for (const auto& text : texts) count += text.size();
  pool.for_each(texts.size(), [&](size_t i) {
    const View<const std::int32_t, 2> tokens(texts[i].data(), {1, texts[i].size()});
    LossEvaluator before(weights.config(), 1, texts[i].size(), false),
        after(weights.config(), 1, texts[i].size(), false);
    before.forward(weights, {tokens, tokens});
    after.forward(rounded, {tokens, tokens});
    sums[i] = divergence(before.logits(), after.logits(), tokens.flat());  // a target for each token: all rows count
  });
  double sum = 0;
  for (const double one : sums) sum += one;
  return sum / double(count);
}

struct Measured {
  std::string name;
  double bits, divergence;
};

}  // namespace

std::string draw_bits(const Subject& subject) {
  const LlamaParameters& weights = subject.model.weights;
  ThreadPool pool(thread_count(0));
  const std::vector<std::vector<TokenId>> texts = story_tokens(subject.model);
  size_t tokens = 0;
  for (const auto& text : texts) tokens += text.size();
  std::vector<Measured> searched, plain;
  std::vector<double> all;
  for (const ElementType type : types) {
    if (!fits(weights, type)) continue;
    for (const bool with_search : {true, false}) {
      if (!with_search && !can_encode(type)) continue;
      const double bits = 8 * double(weight_bytes(subject.config(), type)) / double(parameter_count(subject.config()));
      const double lost = divergence_of(in_blocks(weights, type, with_search, pool), weights, texts, pool);
      all.push_back(std::max(lost, 1e-9));
      (with_search ? searched : plain).push_back({std::string(type_layout(type).name), bits, all.back()});
    }
  }
  if (searched.empty()) throw NothingToShow("the rows of this model's matrices are no whole number of blocks of 32");

  const auto bits_of = [](const Measured& m) { return m.bits; };
  const double most = std::ceil(std::ranges::max(searched, {}, bits_of).bits + 0.2),
               least = std::floor(std::ranges::min(searched, {}, bits_of).bits);
  const auto [low, high] = std::ranges::minmax(all);
  Svg svg(700, 480, "What a weight's bits are worth",
          "The divergence of the rounded model's predictions from the model's own, over the bits that a weight takes, "
          "for each type of block. Filled: scales that were searched for. Rings: plain rounding.");
  svg.text(16, 48,
           fmt::format("Divergence from the unrounded model in nats per token, over {} tokens of stories.", tokens),
           "dim");
  Axes axes(svg, {92, 108, 560, 316}, {least, most}, {low / 4, high * 2, Scale::decades});
  axes.draw({.title = "", .x = "bits per weight", .y = "nats per token, on a logarithmic axis"});
  const Measured& coarsest = std::ranges::max(searched, {}, [](const Measured& m) { return m.divergence; });
  std::vector<double> x, y;  // below the points, which it would hide
  for (double bits = coarsest.bits; bits <= most; bits += 0.1) {
    const double lost = 0.4 * coarsest.divergence * std::pow(4, coarsest.bits - bits);
    if (lost > low / 4) x.push_back(bits), y.push_back(lost);
  }
  axes.curve(x, y, "thin dashed s2");
  const Point middle = axes.at(x[x.size() / 2], y[x.size() / 2]);
  svg.text(middle.x - 10, middle.y + 12, "a quarter for each bit", "small e n2");
  for (const Measured& m : plain) {
    const Point at = axes.at(m.bits, m.divergence);
    svg.circle(at, 6, "line s1");
    svg.text(at.x - 11, at.y + 4, m.name, "small e n1");
  }
  std::vector<double> heights;
  for (const Measured& m : searched) heights.push_back(axes.at(m.bits, m.divergence).y);
  heights = spread(heights, 16, axes.box().y, axes.box().bottom());
  for (size_t i = 0; i < searched.size(); ++i) {
    const Point at = axes.at(searched[i].bits, searched[i].divergence);
    svg.circle(at, 5, "f0");
    svg.text(at.x + 10, heights[i] + 4, searched[i].name, "small strong n0");
  }
  svg.circle({100, 74}, 5, "f0");
  svg.text(112, 78, "scales that were searched for", "small");
  svg.circle({324, 74}, 6, "line s1");
  svg.text(337, 78, "plain rounding, of the types that have it", "small");
  return svg.finish();
}

}  // namespace cria::figure
