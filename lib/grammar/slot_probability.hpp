// How probable it is that a story answers a request: exact sums over all stories.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/grammar/grammar.hpp"

namespace cria {

/// One thing that a request asks for.
struct Asked {
  std::uint32_t slot = 0;  // of the grammar
  std::string value;
  bool operator==(const Asked&) const = default;
};

/// The threads of a story are drawn independently of each other and of its rules, so a sum over the rows of those that
/// the slots are made of is a sum over all stories. Only the number of sentences depends on more: on the rules outside
/// sentences, and on the rows of threads that are mentioned there.
class SlotProbability {
 public:
  /// The grammar must outlive it. Throws UserError when its stories can have more than 1000 sentences, or when there
  /// are too many threads outside sentences to go through their rows.
  explicit SlotProbability(const Grammar& grammar);

  /// log2 of the probability that a story has all of these values; -infinity where none has. Throws UserError when the
  /// slots are made of more than millions of combinations of rows.
  double log2_of(std::span<const Asked> asked) const;

 private:
  /// One choice of the rows of all threads that are mentioned outside sentences.
  struct Frame {
    DrawnRows rows;
    std::vector<double> lengths;  // [n]: the probability of n sentences
  };

  void find_frame_threads(const Sequence& sequence, std::vector<bool>& seen);
  void add_frames(size_t thread, DrawnRows& rows);
  std::vector<double> lengths_of_rule(std::uint32_t rule, const DrawnRows& rows,
                                      std::vector<std::vector<double>>& known) const;
  std::vector<double> lengths_of(const Sequence& sequence, const DrawnRows& rows,
                                 std::vector<std::vector<double>>& known) const;
  double probability(std::span<const Asked> asked, std::optional<size_t> sentences, DrawnRows& rows,
                     size_t& steps) const;
  double probability_of_length(size_t sentences, const DrawnRows& rows) const;

  const Grammar& grammar_;
  std::vector<std::uint32_t> frame_threads_;
  std::vector<Frame> frames_;
};

}  // namespace cria
