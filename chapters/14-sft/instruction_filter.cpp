// Chapter 14, self-instruct's filter.
#include "chapters/14-sft/instruction_filter.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {
namespace {

size_t count_words(std::string_view text) {
  size_t count = 0;
  bool inside = false;
  for (const char c : text) {
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    count += !blank && !inside;
    inside = !blank;
  }
  return count;
}

}  // namespace

InstructionFilter::InstructionFilter(const FilterOptions& options) : options_(options) {
  if (!(options.most_similar >= 0 && options.most_similar <= 1))
    throw UserError(fmt::format("the similarity is {}, expected 0 to 1", options.most_similar));
  if (options.least_words > options.most_words)
    throw UserError(fmt::format("instructions are to have at least {} words and at most {}", options.least_words,
                                options.most_words));
}

FilterJudgement InstructionFilter::add(std::string_view instruction) {
  const size_t length = count_words(instruction);
  if (length < options_.least_words) return {Verdict::too_short};
  if (length > options_.most_words) return {Verdict::too_long};
  std::vector<WordId> words;
  for (std::string& word : rouge_words(instruction))
    words.push_back(ids_.try_emplace(std::move(word), static_cast<WordId>(ids_.size())).first->second);
  const CommonSubsequence common(words);
  FilterJudgement judged;
  for (size_t i = 0; i < kept_.size(); ++i) {
    // solution: nearest_instruction
    if (largest_f_measure(words.size(), kept_[i].size()) <= judged.similarity) continue;  // cannot be nearer
    const double f = f_measure(common.length(kept_[i]), words.size(), kept_[i].size());
    if (f > judged.similarity) judged.similarity = f, judged.nearest = i;
    // end of solution
  }
  if (judged.similarity > options_.most_similar)
    judged.verdict = Verdict::similar;
  else
    kept_.push_back(std::move(words));
  return judged;
}

}  // namespace cria
