// Chapter 16: what a reward model says about texts, and where its zero is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chapters/16-reward-model/value_model.hpp"
#include "lib/base/thread_pool.hpp"

namespace cria {

/// The reward of each sequence: a request and an answer to it, with the token that ends it. The same bits on any number
/// of threads, and whatever other sequences there are. Throws ContractError for an empty one.
std::vector<double> rewards_of(const ValueModel& model, std::span<const std::vector<std::int32_t>> sequences,
                               ThreadPool& pool);

/// Moves the bias so that these rewards, which the model gave, have the mean 0: those of demonstrations, as differences
/// alone do not say where zero is (Ouyang et al. 2022, arXiv:2203.02155, section 3.5).
void centre(const ValueModel& model, std::span<const double> rewards);

}  // namespace cria
