// cria instructions filter: of many instructions those that are unlike each other.
#include "app/texts/instructions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "chapters/14-sft/example_file.hpp"
#include "chapters/14-sft/instruction_data.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

/// How many instructions had their nearest one how near.
class Similarities {
 public:
  void add(double similarity) { ++counts_[std::min(size_t(similarity * bins), bins - 1)]; }

  void print() const {
    constexpr size_t widest = 50;
    const size_t most = std::max<size_t>(1, *std::ranges::max_element(counts_));
    for (size_t i = 0; i < bins; ++i) {
      const size_t wide = (counts_[i] * widest + most - 1) / most;
      fmt::print("{:.2f} to {:.2f} {:>8}{}{}\n", double(i) / bins, double(i + 1) / bins, counts_[i],
                 wide > 0 ? "  " : "", std::string(wide, '#'));
    }
  }

 private:
  static constexpr size_t bins = 20;
  std::array<size_t, bins> counts_{};
};

}  // namespace

int run_instruction_filter(const InstructionFilterOptions& options) {
  InstructionFilter filter(options.filter);
  Similarities similarities;
  std::array<size_t, 4> counts{};
  std::string kept;
  for_each_example(Data(options.data), [&](const nlohmann::json& example, const std::string& place) {
    const FilterJudgement judged = filter.add(first_question(example, place));
    ++counts[size_t(judged.verdict)];
    if (judged.verdict == Verdict::kept || judged.verdict == Verdict::similar) similarities.add(judged.similarity);
    if (judged.verdict == Verdict::kept)
      kept += example.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  });
  write_file_atomically(options.out, kept);
  const auto [unlike, short_ones, long_ones, alike] = counts;
  fmt::print("{}: {} of {} kept; too short {}, too long {}, like another {}\n\n", options.out, unlike,
             unlike + short_ones + long_ones + alike, short_ones, long_ones, alike);
  fmt::print("ROUGE-L with the nearest of those kept before; above {} it is dropped\n", options.filter.most_similar);
  similarities.print();
  return 0;
}

}  // namespace cria
