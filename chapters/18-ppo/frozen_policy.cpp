#include "chapters/18-ppo/frozen_policy.hpp"

#include <algorithm>

#include "chapters/18-ppo/policy_objective.hpp"
#include "lib/base/check.hpp"

namespace cria {

FrozenPolicy::FrozenPolicy(const LlamaConfig& config, const LlamaWeights& weights, size_t lanes, size_t micro_batch,
                           size_t positions, ThreadPool& pool)
    : weights_(weights), micro_batch_(micro_batch), pool_(pool) {
  require(lanes > 0 && micro_batch > 0, "FrozenPolicy", "lanes and micro_batch must not be 0");
  lanes_.reserve(lanes);
  for (size_t i = 0; i < lanes; ++i) lanes_.emplace_back(config, micro_batch, positions, false);
}

void FrozenPolicy::rate(const Batch& batch, View<real, 2> log_p) {
  const size_t B = batch.tokens.shape(0);
  require(batch.first + B <= log_p.shape(0) && batch.tokens.shape(1) == log_p.shape(1), "FrozenPolicy",
          "log p has no place for the batch");
  const Objective record = keep_log_p(log_p);
  pool_.for_each(lanes_.size(), [&](size_t i) {
    const size_t end = B * (i + 1) / lanes_.size();
    for (size_t b = B * i / lanes_.size(); b < end; b += micro_batch_)
      lanes_[i].forward(weights_, part_of(batch, b, std::min(b + micro_batch_, end)), record);
  });
}

}  // namespace cria
