// Chapter 22: what an engine computes in each pass, as a timeline.
#include <fmt/format.h>

#include <map>

#include "app/figure/figures.hpp"
#include "app/figure/svg.hpp"
#include "chapters/22-serving/engine.hpp"

namespace cria::figure {
namespace {

struct ArrivingText {
  const char* name;
  size_t pass, prompt, answer;
  TokenId first;  // of its prompt, which counts on from there: equal ones begin alike
};
constexpr ArrivingText arriving_texts[] = {
    {"Anna", 1, 10, 9, 1}, {"Ben", 1, 18, 7, 40}, {"Carl", 3, 12, 6, 1}, {"Dora", 5, 20, 4, 70}, {"Emil", 8, 6, 5, 40}};
constexpr size_t blocks_of_the_figure = 14;

/// A model of no meaning: the picture shows who computes how many positions, which does not depend on it.
LlamaParameters meaningless_model() {
  LlamaConfig c;
  c.vocabulary_size = 256, c.dim = 8, c.hidden_dim = 8, c.layers = 1, c.heads = 1, c.kv_heads = 1, c.head_dim = 8;
  c.context = 48;
  LlamaParameters weights(c);
  for (real& number : weights.flat()) number = real(0.1);
  return weights;
}

std::vector<PassRecord> passes_of_the_texts() {
  const LlamaParameters weights = meaningless_model();
  const Tokenizer tokenizer(bytes_model());
  Engine engine(weights, tokenizer, {}, {.blocks = blocks_of_the_figure, .block_size = 4, .places = 4, .chunk = 8});
  size_t added = 0;
  for (size_t pass = 1; added < std::size(arriving_texts) || !engine.idle(); ++pass) {
    for (const ArrivingText& text : arriving_texts)
      if (text.pass == pass) {
        std::vector<TokenId> prompt;
        for (size_t i = 0; i < text.prompt; ++i) prompt.push_back(text.first + TokenId(i));
        GenerationOptions options;
        options.tokens = text.answer;
        engine.add(prompt, options, {});
        ++added;
      }
    engine.step();
  }
  return {engine.timeline().passes().begin(), engine.timeline().passes().end()};
}

}  // namespace

std::string draw_batching(const Subject&) {
  constexpr double left = 86, top = 96, row = 34, bars = 70;
  const std::vector<PassRecord> passes = passes_of_the_texts();
  const size_t texts = std::size(arriving_texts);
  const double column = (700 - left - 16) / double(passes.size());
  const double bottom = top + row * double(texts) + 34;
  Svg svg(700, bottom + bars + 34, "Who computes what in each pass",
          "Five texts over the passes of an engine. Prompts are read in chunks of 8 positions, beside texts that draw "
          "a token in each pass; who finds no blocks waits.");
  svg.text(16, 48,
           fmt::format("Prompts: 8 positions in a pass altogether. {} blocks of 4 positions.", blocks_of_the_figure),
           "dim");
  svg.text(16, 70, "A number: positions read · ●: a token drawn · bars: blocks in use", "small dim");
  const auto y_of = [&](std::uint64_t text) { return top + row * double(text - 1); };
  for (size_t i = 0; i < texts; ++i) {
    svg.text(16, y_of(i + 1) + 19, arriving_texts[i].name, "strong");
    svg.line({left, y_of(i + 1) + row - 3}, {684, y_of(i + 1) + row - 3}, "grid");
  }
  for (size_t p = 0; p < passes.size(); ++p) {
    const double x = left + column * double(p);
    for (const PassRecord::Part& part : passes[p].parts) {
      const double y = y_of(part.text);
      if (part.positions > 1 || part.drawn == 0) {
        svg.rect({x + 1, y + 2, column - 2, row - 9}, "f0", 0.35, 3);
        svg.text(x + column / 2, y + 19, fmt::format("{}", part.positions), "small m");
      }
      if (part.drawn && part.positions == 1) svg.circle({x + column / 2, y + 14}, 5, "f2");
    }
    for (const std::uint64_t text : passes[p].preempted) svg.text(x + column / 2, y_of(text) + 19, "out", "tiny m n1");
    const double height = bars * double(passes[p].blocks_used) / double(blocks_of_the_figure);
    svg.rect({x + 1, bottom + bars - height, column - 2, height}, "f4", 0.6);
    if (p % 5 == 4 || p == 0) svg.text(x + column / 2, bottom + bars + 18, fmt::format("{}", p + 1), "tiny m dim");
  }
  svg.line({left, bottom}, {684, bottom}, "axis dashed");
  svg.text(16, bottom + 5, fmt::format("{} blocks", blocks_of_the_figure), "tiny dim");
  svg.text(16, bottom + bars + 18, "pass", "tiny dim");
  return svg.finish();
}

}  // namespace cria::figure
