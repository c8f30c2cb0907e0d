// Chapter 11: a batch of packed documents, and the mask that keeps each document to itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/11-pretraining/corpus.hpp"

namespace cria::figure {
namespace {

/// Positions begin … end - 1 of one sequence that see each other. What has no target is padding.
struct Part {
  size_t begin, end;
  bool padding;
};

std::vector<Part> parts_of(const Batch& batch, size_t b) {
  const size_t T = batch.tokens.shape(1);
  const std::span<const std::int32_t> first_key = batch.first_key.subspan(b * T, T);
  std::vector<Part> parts;
  for (size_t t = 0; t < T; ++t) {
    const bool padding = batch.targets(b, t) == no_target;
    const bool joins = !parts.empty() && (padding ? parts.back().padding : size_t(first_key[t]) == parts.back().begin);
    if (joins)
      ++parts.back().end;
    else
      parts.push_back({t, t + 1, padding});
  }
  return parts;
}

}  // namespace

std::string draw_batches(const Subject& subject) {
  if (!subject.tokenizer().bos_id() || !subject.tokenizer().eos_id())
    throw NothingToShow("batches of documents need a tokenizer with tokens for their begin and end");
  constexpr size_t sequences = 6;
  const size_t T = subject.config().context;
  Recipe recipe;
  recipe.training.batch = sequences;
  recipe.training.positions = T;
  recipe.validation_tokens = 1;
  const Corpus corpus = open_corpus({"stories", 1}, subject.tokenizer(), recipe);
  const Batch batch = corpus.training->next();

  Svg svg(700, 596, "A batch of packed documents, and its mask",
          "Above, each row is a sequence filled with whole documents, in colours; what is left is padding. Below, what "
          "each position of the first sequence may look at.");
  const double used = 100.0 * double(count_targets(batch)) / double(sequences * T);
  svg.text(16, 48,
           fmt::format("{} sequences of {} tokens, filled with built-in stories. {:.0f} % of the places are used.",
                       sequences, T, used),
           "dim");
  constexpr double left = 110, wide = 574, row = 26;
  for (size_t b = 0; b < sequences; ++b) {
    const double y = 68 + row * double(b);
    svg.text(16, y + 15, fmt::format("sequence {}", b), "small");
    const std::vector<Part> parts = parts_of(batch, b);
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto [begin, end, padding] = parts[i];
      const double x = left + wide * double(begin) / double(T), width = wide * double(end - begin) / double(T) - 1.5;
      svg.rect({x, y, std::max(width, 0.5), row - 6}, padding ? "box" : fmt::format("f{}", i % 4), padding ? 1 : 0.55);
      const std::string length = padding ? "padding" : fmt::format("{}", end - begin);
      if (text_width(length, 12) < width - 4) svg.text(x + width / 2, y + 15, length, "small m");
    }
  }
  svg.text(left, 68 + row * sequences + 12, "The number of each document's tokens.", "small dim");

  const double top = 286, side = 260;
  const Scale scale{0, double(T)};
  const Scale down{-double(T), 0};  // queries from top to bottom
  Axes mask(svg, {left, top, side, side}, scale, down);
  mask.draw({.title = "What sequence 0 may look at", .x = "key", .y = "", .y_text = [](double v) {
               return fmt::format("{:g}", std::abs(v));
             }});
  svg.text(24, top + side / 2 + 4, "query", "small dim");
  const std::vector<Part> parts = parts_of(batch, 0);
  svg.polygon(std::vector<Point>{mask.at(0, 0), mask.at(0, -double(T)), mask.at(double(T), -double(T))}, "axis dashed");
  for (size_t i = 0; i < parts.size(); ++i) {
    const double begin = double(parts[i].begin), end = double(parts[i].end);
    if (parts[i].padding) continue;
    svg.polygon(std::vector<Point>{mask.at(begin, -begin), mask.at(begin, -end), mask.at(end, -end)},
                fmt::format("f{}", i % 4), 0.55);
  }
  const char* notes[] = {"A position sees its own document",
                         "up to itself: a triangle for each.",
                         "",
                         "Without the mask it would see all",
                         "that stands before it: the dashed",
                         "triangle.",
                         "",
                         "Padding has no target and does not",
                         "count in the loss."};
  for (size_t i = 0; i < std::size(notes); ++i) svg.text(left + side + 40, top + 20 + 20 * double(i), notes[i]);
  return svg.finish();
}

}  // namespace cria::figure
