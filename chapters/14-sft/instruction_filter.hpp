// Chapter 14: the filter of self-instruct, which keeps an instruction only if it is unlike all that were kept before.
//
// Wang et al. 2022 (arXiv:2212.10560), section 2.2. Left out: its lists of words that speak of pictures and files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chapters/14-sft/rouge.hpp"

namespace cria {

struct FilterOptions {
  double most_similar = 0.7;                 // ROUGE-L's F, above which an instruction is one that is there already
  size_t least_words = 4, most_words = 150;  // between blanks
};

enum class Verdict { kept, too_short, too_long, similar };

struct FilterJudgement {
  Verdict verdict = Verdict::kept;
  double similarity = 0;               // with the nearest instruction that was kept before; 0 where none was looked for
  std::optional<size_t> nearest = {};  // which of those that were kept
};

class InstructionFilter {
 public:
  /// Throws UserError for a similarity that is not in 0 to 1, and where no number of words is left.
  explicit InstructionFilter(const FilterOptions& options);

  /// Judges an instruction, and remembers it where it is kept. So the order matters: of two that are alike the first
  /// stays.
  FilterJudgement add(std::string_view instruction);

  size_t kept() const { return kept_.size(); }

 private:
  FilterOptions options_;
  std::unordered_map<std::string, WordId> ids_;
  std::vector<std::vector<WordId>> kept_;  // the words of each
};

}  // namespace cria
