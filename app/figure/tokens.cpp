// Chapter 01: where a text falls into tokens, and how a word's bytes become one by one what they end as.
#include <fmt/format.h>

#include <algorithm>

#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/figure/svg.hpp"
#include "chapters/01-bpe/merge.hpp"

namespace cria::figure {
namespace {

constexpr double page_width = 700, margin = 16;

/// The states of a word on its way, each with the number of the merge that led to it; the first is its symbols.
struct Step {
  std::vector<TokenId> tokens;
  size_t merge = 0;
};

/// Encoding takes the earliest merge first, so what the first n merges make of a word are its states. A merge's result
/// joins older tokens, so none that comes later in the word has to come earlier in the list.
std::vector<Step> steps_of(const BpeModel& model, std::string_view word) {
  std::vector<TokenId> tokens;
  for (const char& byte : word) tokens.push_back(TokenId(model.vocabulary.find({&byte, 1})));
  std::vector<Step> steps = {{tokens, 0}};
  for (size_t i = 0; i < model.merges.size(); ++i) {
    if (word.find(model.vocabulary[size_t(model.merges[i].result)]) == word.npos) continue;
    std::vector<TokenId> merged = steps.back().tokens;
    if (Merger({model.merges[i]}).merge(merged) > 0 && merged != steps.back().tokens) steps.push_back({merged, i + 1});
  }
  return steps;
}

/// A step for each merge is what a reader can follow: of the text's words the one with the most steps that fit.
std::vector<Step> longest_way(const Subject& subject) {
  constexpr size_t most_steps = 10, most_bytes = 20;
  std::vector<Step> longest;
  const BpeModel& model = subject.tokenizer().model();
  for_each_piece(model.pattern, subject.text, [&](std::string_view word) {
    if (word.size() > most_bytes) return;
    std::vector<Step> steps = steps_of(model, word);
    if (steps.size() > longest.size() && steps.size() <= most_steps + 1) longest = std::move(steps);
  });
  if (longest.size() < 2) throw NothingToShow("no word of this text is made by merges");
  return longest;
}

}  // namespace

std::string draw_tokens(const Subject& subject) {
  constexpr double height = 42, gap = 5, first_row = 62;
  struct Place {
    Box box;
    std::string text, id;
  };
  constexpr size_t most_rows = 8;
  std::vector<Place> places;
  double x = margin, y = first_row;
  size_t bytes = 0;
  for (const TokenId token : subject.tokens) {
    const std::string text = subject.label(token), id = fmt::format("{}", token);
    const double wide = std::max(mono_width(text, 15), mono_width(id, 11)) + 10;
    if (x + wide > page_width - margin && x > margin) x = margin, y += height + gap;
    if (y > first_row + (most_rows - 1) * (height + gap)) break;
    places.push_back({{x, y, wide, height}, text, id});
    if (!subject.tokenizer().is_special(token)) bytes += subject.tokenizer().piece(token).size();
    x += wide + gap;
  }
  Svg svg(page_width, places.back().box.bottom() + margin, "Where a text falls into tokens",
          "Each box is a token: its text above, its number in the vocabulary below. A dot is a space.");
  svg.text(margin, 48,
           fmt::format("{} bytes are {} tokens of a vocabulary of {}. A space (·) belongs to the word after it.", bytes,
                       places.size(), subject.tokenizer().vocabulary_size()),
           "dim");
  for (size_t i = 0; i < places.size(); ++i) {
    const auto& [box, text, id] = places[i];
    const bool special = subject.tokenizer().is_special(subject.tokens[i]);
    svg.rect(box, special ? "box" : fmt::format("f{}", i % 4), special ? 1 : 0.25, 4);
    svg.text(box.middle_x(), box.y + 20, text, special ? "mono m dim" : "mono m");
    svg.text(box.middle_x(), box.y + 35, id, "tiny mono m dim");
  }
  return svg.finish();
}

std::string draw_merges(const Subject& subject) {
  const std::vector<Step> steps = longest_way(subject);
  const ByteStrings& vocabulary = subject.tokenizer().model().vocabulary;
  constexpr double row = 40, first_row = 62, label_width = 250;
  Svg svg(page_width, first_row + row * double(steps.size()) + 6, "How merges make a word's tokens",
          "The first row is the word's bytes. Each further row applies one merge, the earliest learned first.");
  svg.text(
      margin, 48,
      fmt::format("From {} bytes to {}, the merge that was learned first going first.", steps[0].tokens.size(),
                  steps.back().tokens.size() == 1 ? "one token" : fmt::format("{} tokens", steps.back().tokens.size())),
      "dim");
  // Every symbol stands where its bytes stand in all rows, so a merge is two boxes that become one.
  double widest = 1;
  size_t bytes = 0;
  for (const TokenId token : steps[0].tokens) widest = std::max(widest, mono_width(subject.label(token), 13)), ++bytes;
  const double cell = std::min(std::max(widest + 18, 48.0), (page_width - label_width - margin) / double(bytes));
  for (size_t i = 0; i < steps.size(); ++i) {
    const double y = first_row + row * double(i);
    if (i == 0) {
      svg.text(margin, y + 20, "the bytes", "small dim");
    } else {
      const Merge& merge = subject.tokenizer().model().merges[steps[i].merge - 1];
      svg.text(margin, y + 20, fmt::format("merge {}", steps[i].merge), "small dim");
      svg.text(margin + 96, y + 20, fmt::format("{} + {}", subject.label(merge.left), subject.label(merge.right)),
               "small mono");
    }
    double x = label_width;
    for (const TokenId token : steps[i].tokens) {
      const size_t size = vocabulary[size_t(token)].size();
      const bool fresh = i > 0 && token == subject.tokenizer().model().merges[steps[i].merge - 1].result;
      const Box box{x + 2, y, cell * double(size) - 4, row - 10};
      svg.rect(box, size == 1 ? "box" : fresh ? "f1" : "f0", size == 1 ? 1 : 0.3, 4);
      svg.text(box.middle_x(), y + 20, subject.label(token), "mono m");
      x += cell * double(size);
    }
  }
  return svg.finish();
}

}  // namespace cria::figure
