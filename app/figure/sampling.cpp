// Chapter 09: the same logits under different temperatures and under top-p.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/figure/svg.hpp"
#include "chapters/09-sampling/sampling.hpp"

namespace cria::figure {
namespace {

std::vector<real> distribution(std::span<const real> logits, const SamplingOptions& options) {
  std::vector<real> probabilities(logits.size());
  const Shape<1> shape{logits.size()};
  Sampler(options, logits.size()).distribution({logits.data(), shape}, {}, {probabilities.data(), shape});
  return probabilities;
}

double entropy(std::span<const real> probabilities) {
  double bits = 0;
  for (const double p : probabilities)
    if (p > 0) bits -= p * std::log2(p);
  return bits;
}

}  // namespace

std::string draw_sampling(const Subject& subject) {
  const size_t V = subject.config().vocabulary_size, T = subject.tokens.size();
  const auto logits = [&](size_t t) { return std::span(subject.logits).subspan(t * V, V); };
  // Where temperature changes most there is most to see: neither one sure token nor many alike.
  std::vector<double> change(T);
  for (size_t t = 0; t < T; ++t)
    change[t] =
        entropy(distribution(logits(t), {.temperature = 2})) - entropy(distribution(logits(t), {.temperature = 0.5}));
  const size_t at = size_t(std::ranges::max_element(change) - change.begin());

  struct Kind {
    std::string name, sense;
    SamplingOptions options;
    const char* colour;
  };
  const Kind kinds[] = {{"as it is", "temperature 1", {}, "f0"},
                        {"temperature 0.5", "the large grow", {.temperature = 0.5}, "f1"},
                        {"temperature 2", "all become alike", {.temperature = 2}, "f2"},
                        {"top-p 0.8", "the tail is cut off", {.top_p = 0.8}, "f3"}};
  std::vector<std::vector<real>> columns;
  for (const Kind& kind : kinds) columns.push_back(distribution(logits(at), kind.options));

  std::vector<size_t> order(V);
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t rows = std::min<size_t>(V, 16);
  std::ranges::stable_sort(order, std::greater(), [&](size_t v) { return columns[0][v]; });

  std::string before;
  for (size_t t = at + 1 > 6 ? at - 5 : 0; t <= at; ++t)
    if (!subject.tokenizer().is_special(subject.tokens[t])) before += subject.tokenizer().piece(subject.tokens[t]);
  constexpr double left = 110, row = 20, top = 116;
  const double pitch = (700 - 16 - left) / 4;
  Svg svg(700, top + row * double(rows + 1) + 44, "One set of logits, four ways to draw from it",
          "Probabilities of the most probable next tokens under temperature 1, 0.5 and 2, and under top-p 0.8.");
  svg.text(16, 48,
           before.empty()
               ? "The first token of a text, most probable ones first."
               : fmt::format("What may follow \"…{}\", most probable first.", shortened(printable(before), 44)),
           "dim");
  double most = 0;
  for (const auto& column : columns) most = std::max(most, double(*std::ranges::max_element(column)));
  for (size_t k = 0; k < 4; ++k) {
    const double x = left + pitch * double(k);
    svg.text(x, 82, kinds[k].name, "strong");
    svg.text(x, 99, kinds[k].sense, "small dim");
    double shown = 0;
    for (size_t i = 0; i < rows; ++i) {
      const double p = columns[k][order[i]], y = top + row * double(i);
      shown += p;
      if (k == 0) svg.text(left - 8, y + 14, subject.label(TokenId(order[i]), 12), "small mono e");
      svg.rect({x, y + 3, std::max((pitch - 56) * p / most, p > 0 ? 1.0 : 0.0), row - 6}, kinds[k].colour, 0.8);
      svg.text(x + (pitch - 56) * p / most + 6, y + 14, p > 0 ? fmt::format("{:.1f} %", 100 * p) : "–", "tiny dim");
    }
    const double rest = std::max(0.0, 1 - shown), y = top + row * double(rows);
    const auto kept = std::ranges::count_if(columns[k], [](real p) { return p > 0; });
    svg.text(x, y + 16, fmt::format("all others {:.1f} %", 100 * rest), "small dim");
    svg.text(x, y + 33, fmt::format("{} possible", kept), "small dim");
  }
  return svg.finish();
}

}  // namespace cria::figure
