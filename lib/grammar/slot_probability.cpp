#include "lib/grammar/slot_probability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"
#include "lib/base/decimal.hpp"
#include "lib/grammar/slots.hpp"

namespace cria {
namespace {

constexpr size_t most_sentences = 1000, most_frames = 1000, most_steps = size_t{1} << 22;

/// The distribution of a sum of two independent numbers.
std::vector<double> sum_of(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() + b.size() > most_sentences + 2)
    throw UserError(
        fmt::format("the grammar's stories can have more than {} sentences, too many for requests", most_sentences));
  std::vector<double> sum(a.size() + b.size() - 1);
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < b.size(); ++j) sum[i + j] += a[i] * b[j];
  return sum;
}

}  // namespace

SlotProbability::SlotProbability(const Grammar& grammar) : grammar_(grammar) {
  std::vector<bool> seen(grammar.rules.size());
  find_frame_threads({{.kind = Symbol::Kind::rule, .index = grammar.start, .text = {}}}, seen);
  DrawnRows rows(grammar.threads.size());
  add_frames(0, rows);
}

void SlotProbability::find_frame_threads(const Sequence& sequence, std::vector<bool>& seen) {
  for (const Symbol& symbol : sequence) {
    if (symbol.kind == Symbol::Kind::thread) {
      if (std::ranges::find(frame_threads_, symbol.index) == frame_threads_.end())
        frame_threads_.push_back(symbol.index);
      for (const Row& row : grammar_.threads[symbol.index].rows) find_frame_threads(row.fields[symbol.field], seen);
    } else if (!grammar_.rules[symbol.index].is_sentence && !seen[symbol.index]) {
      seen[symbol.index] = true;
      for (const Alternative& alternative : grammar_.rules[symbol.index].alternatives)
        find_frame_threads(alternative.sequence, seen);
    }
  }
}

void SlotProbability::add_frames(size_t thread, DrawnRows& rows) {
  if (thread == frame_threads_.size()) {
    if (frames_.size() == most_frames)
      throw UserError(
          fmt::format("the grammar's lists outside sentences have more than {} combinations of rows, too "
                      "many for requests",
                      most_frames));
    std::vector<std::vector<double>> known(grammar_.rules.size());
    frames_.push_back({rows, lengths_of_rule(grammar_.start, rows, known)});
    return;
  }
  const Row*& row = rows[frame_threads_[thread]];
  for (const Row& choice : grammar_.threads[frame_threads_[thread]].rows) {
    row = &choice;
    add_frames(thread + 1, rows);
  }
  row = nullptr;
}

std::vector<double> SlotProbability::lengths_of_rule(std::uint32_t index, const DrawnRows& rows,
                                                     std::vector<std::vector<double>>& known) const {
  const Rule& rule = grammar_.rules[index];
  if (rule.is_sentence) return {0, 1};
  if (!known[index].empty()) return known[index];
  std::vector<double> all;
  for (const Alternative& alternative : rule.alternatives) {
    const std::vector<double> one = lengths_of(alternative.sequence, rows, known);
    all.resize(std::max(all.size(), one.size()));
    for (size_t n = 0; n < one.size(); ++n) all[n] += std::exp2(alternative.log2_probability) * one[n];
  }
  return known[index] = all;
}

std::vector<double> SlotProbability::lengths_of(const Sequence& sequence, const DrawnRows& rows,
                                                std::vector<std::vector<double>>& known) const {
  std::vector<double> all = {1};
  for (const Symbol& symbol : sequence)
    all = sum_of(all, symbol.kind == Symbol::Kind::thread
                          ? lengths_of(rows[symbol.index]->fields[symbol.field], rows, known)
                          : lengths_of_rule(symbol.index, rows, known));
  return all;
}

double SlotProbability::log2_of(std::span<const Asked> asked) const {
  std::vector<Asked> of_threads;
  std::optional<size_t> sentences;
  for (const Asked& one : asked) {
    if (!grammar_.slots[one.slot].value.empty()) {
      of_threads.push_back(one);
      continue;
    }
    size_t number = 0;
    if (!read_decimal(one.value, number) || (sentences && *sentences != number)) return -INFINITY;
    sentences = number;
  }
  DrawnRows rows(grammar_.threads.size());
  size_t steps = 0;
  return std::log2(probability(of_threads, sentences, rows, steps));
}

double SlotProbability::probability(std::span<const Asked> asked, std::optional<size_t> sentences, DrawnRows& rows,
                                    size_t& steps) const {
  if (++steps > most_steps) throw UserError("the slots are made of too many combinations of rows");
  if (asked.empty()) return sentences ? probability_of_length(*sentences, rows) : 1;
  const Slot& slot = grammar_.slots[asked.front().slot];
  const auto thread = missing_thread(grammar_, slot, rows);
  if (!thread) {
    if (slot_value(grammar_, slot, rows, 0) != asked.front().value) return 0;
    return probability(asked.subspan(1), sentences, rows, steps);
  }
  double sum = 0;
  for (const Row& row : grammar_.threads[*thread].rows) {
    rows[*thread] = &row;
    sum += std::exp2(row.log2_probability) * probability(asked, sentences, rows, steps);
  }
  rows[*thread] = nullptr;
  return sum;
}

double SlotProbability::probability_of_length(size_t sentences, const DrawnRows& rows) const {
  double sum = 0;
  for (const Frame& frame : frames_) {
    if (sentences >= frame.lengths.size()) continue;
    double p = frame.lengths[sentences];
    for (const std::uint32_t thread : frame_threads_) {
      if (!rows[thread])
        p *= std::exp2(frame.rows[thread]->log2_probability);
      else if (rows[thread] != frame.rows[thread])
        p = 0;
    }
    sum += p;
  }
  return sum;
}

}  // namespace cria
