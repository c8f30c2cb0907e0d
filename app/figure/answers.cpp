// Chapter 14: one window of packed conversations, and which of its tokens have a target.
#include <fmt/format.h>

#include <algorithm>

#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/figure/svg.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/14-sft/instruction_corpus.hpp"
#include "chapters/14-sft/story_requests.hpp"
#include "lib/base/check.hpp"

namespace cria::figure {
namespace {

constexpr double page_width = 700, margin = 16;

/// A window of built-in requests, in the model's format.
struct Window {
  std::vector<std::int32_t> tokens, targets, first_key;

  bool padding(size_t t) const { return targets[t] == no_target && size_t(first_key[t]) == t && tokens[t] == 0; }
};

Window draw_window(const Subject& subject) {
  try {
    const ModelConfig& config = subject.model.config;
    const InstructionEncoder encode(
        instruction_format(subject.folder, subject.model, request_template()), subject.tokenizer(),
        config.end_of_text.empty() ? std::nullopt : std::optional(config.end_of_text.front()));
    Recipe recipe;
    recipe.training.batch = 1;
    recipe.training.positions = std::min<size_t>(config.llama.context, 512);
    recipe.validation_tokens = 1;
    const Corpus corpus = open_instruction_corpus(Data("requests", 1), encode, recipe);
    const Batch batch = corpus.training->next();
    const auto tokens = batch.tokens.span(), targets = batch.targets.span();
    return {{tokens.begin(), tokens.end()},
            {targets.begin(), targets.end()},
            {batch.first_key.begin(), batch.first_key.end()}};
  } catch (const UserError& reason) {
    throw NothingToShow(reason.what());
  }
}

/// All positions as cells; returns where they end.
double draw_cells(Svg& svg, const Window& window, double top) {
  constexpr size_t columns = 64;
  constexpr double cell = (page_width - 2 * margin) / columns;
  size_t document = 0;
  for (size_t t = 0; t < window.tokens.size(); ++t) {
    if (t > 0 && window.first_key[t] != window.first_key[t - 1]) ++document;
    const Box box{margin + cell * double(t % columns), top + cell * double(t / columns), cell - 1, cell - 1};
    const std::string colour = fmt::format("f{}", document % 3);
    if (window.padding(t))
      svg.rect(box, "box");
    else
      svg.rect(box, colour, window.targets[t] == no_target ? 0.25 : 0.9);
  }
  return top + cell * double((window.tokens.size() + columns - 1) / columns);
}

/// Some positions, as what is read there and what is to be said, as far as there is room up to `right`.
void draw_positions(Svg& svg, const Subject& subject, const Window& window, size_t begin, size_t end, double x,
                    double y, double right) {
  constexpr double height = 26;
  for (size_t t = begin; t < end; ++t) {
    const bool learned = window.targets[t] != no_target;
    const std::string read = subject.label(window.tokens[t], 10);
    const std::string said = learned ? subject.label(window.targets[t], 10) : "–";
    const double wide = std::max({mono_width(read, 13), mono_width(said, 13), 20.0}) + 8;
    if (x + wide > right) return;
    svg.rect({x, y, wide, height}, "f0", learned ? 0.3 : 0.1, 3);
    svg.text(x + wide / 2, y + 18, read, "mono small m");
    svg.rect({x, y + height + 6, wide, height}, learned ? "f0" : "box", learned ? 0.3 : 1, 3);
    svg.text(x + wide / 2, y + height + 24, said, learned ? "mono small m" : "mono small m dim");
    x += wide + 4;
  }
}

}  // namespace

std::string draw_answers(const Subject& subject) {
  const Window window = draw_window(subject);
  const size_t first = size_t(std::ranges::find_if(window.targets, [](std::int32_t t) { return t != no_target; }) -
                              window.targets.begin());
  size_t last = first;
  while (last + 1 < window.targets.size() && window.first_key[last + 1] == window.first_key[first]) ++last;
  const size_t learned = window.targets.size() - size_t(std::ranges::count(window.targets, no_target));

  Svg svg(page_width, 262, "A window of conversations, and what of it is learned",
          "Cells for all positions of a window: prompts pale, answers strong, padding empty. Below, the tokens around "
          "the begin and the end of an answer with their targets.");
  svg.text(margin, 48,
           fmt::format("{} positions with stories on request. {} have a target: strong. What is pale is only read.",
                       window.tokens.size(), learned),
           "dim");
  const double bottom = draw_cells(svg, window, 62);
  svg.text(margin, bottom + 34, "The first prompt's end, and its answer's begin and end", "strong");
  svg.text(margin, bottom + 62, "reads", "small dim");
  svg.text(margin, bottom + 94, "learns", "small dim");
  const double left = margin + 50;
  constexpr double behind = 500;  // where the end of the answer begins
  draw_positions(svg, subject, window, first - std::min<size_t>(first, 2), last, left, bottom + 44, behind - 36);
  svg.text(behind - 18, bottom + 78, "…", "m");
  draw_positions(svg, subject, window, last - std::min<size_t>(last, 2), last + 1, behind, bottom + 44,
                 page_width - margin);
  return svg.finish();
}

}  // namespace cria::figure
