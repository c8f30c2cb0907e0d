#include "chapters/18-ppo/token_weights.hpp"

#include "lib/base/check.hpp"

namespace cria {

std::vector<double> token_weights(std::span<const Range> answers, TokenWeight kind, size_t longest) {
  require(kind != TokenWeight::constant || longest > 0, "token_weights", "the longest answer has no tokens");
  size_t tokens = 0;
  for (const Range& answer : answers) tokens += answer.size();
  std::vector<double> weights;
  for (const Range& answer : answers) {
    const double length = double(answer.size()), count = double(answers.size());
    double weight = 0;
    // solution: token_weights
    const double terms = kind == TokenWeight::tokens    ? double(tokens)
                         : kind == TokenWeight::answers ? count * length
                                                        : count * double(longest);
    weight = 1 / terms;
    // end of solution
    weights.push_back(weight);
  }
  return weights;
}

}  // namespace cria
