#include "chapters/18-ppo/advantages.hpp"

#include "lib/base/check.hpp"

namespace cria {

void generalised_advantages(View<const double, 1> rewards, View<const double, 1> values, const GaeOptions& options,
                            View<double, 1> advantages) {
  require_shape("generalised_advantages: values", values, rewards.shape());
  require_shape("generalised_advantages: advantages", advantages, rewards.shape());
  // solution: generalised_advantages
  double next_value = 0, next_advantage = 0;
  for (size_t t = rewards.size(); t-- > 0;) {
    const double surprise = rewards(t) + options.gamma * next_value - values(t);
    advantages(t) = surprise + options.gamma * options.lambda * next_advantage;
    next_value = values(t), next_advantage = advantages(t);
  }
  // end of solution
}

void generalised_advantages(View<const double, 2> rewards, View<const double, 2> values,
                            std::span<const Range> rewarded, const GaeOptions& options, View<double, 2> advantages,
                            View<double, 2> returns) {
  require_shape("generalised_advantages: values", values, rewards.shape());
  require_shape("generalised_advantages: advantages", advantages, rewards.shape());
  require_shape("generalised_advantages: returns", returns, rewards.shape());
  require(rewarded.size() == rewards.shape(0), "generalised_advantages", "needs one range for each row");
  for (double& x : advantages.span()) x = 0;
  for (double& x : returns.span()) x = 0;
  for (size_t b = 0; b < rewarded.size(); ++b) {
    const Range answer = rewarded[b];
    generalised_advantages(rewards[b].part(answer), values[b].part(answer), options, advantages[b].part(answer));
    for (size_t t = answer.begin; t < answer.end; ++t) returns(b, t) = advantages(b, t) + values(b, t);
  }
}

}  // namespace cria
