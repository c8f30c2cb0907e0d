// Chapter 20: which runs a sweep consists of. For each budget of operations, models of several sizes, each trained for
// as long as the budget lasts.
#pragma once

#include <span>
#include <vector>

#include "chapters/08-llama/config.hpp"

namespace cria {

/// Operations of training on so many tokens, in sequences of T positions: head and attention included, which 6 N D
/// leaves out and counts the embedding for instead.
double run_operations(const LlamaConfig& config, size_t positions, double tokens);

/// The tokens that a budget of operations lasts for.
double tokens_of_budget(const LlamaConfig& config, size_t positions, double operations);

/// The shape's model made as wide as brings it nearest to so many parameters: widths are multiples of 8, heads of 16
/// channels cover the width, and the feed-forward part is 8/3 as wide (Touvron et al. 2023, arXiv:2302.13971,
/// section 2.2). Layers, vocabulary and context stay.
LlamaConfig model_of_size(const LlamaConfig& shape, double parameters);

/// The learning rate of a model of that width, where `rate` is good at `reference_width`: Adam's steps move a matrix
/// product by about rate · width, for which Yang et al. 2022 (arXiv:2203.03466) take 1 / width. 1 / √width is a
/// compromise between that and keeping the rate.
double rate_of_width(double rate, size_t reference_width, size_t width);

struct PlannedRun {
  size_t budget = 0;  // its number, from 0 on
  LlamaConfig config;
  size_t steps = 0;
  double parameters = 0, tokens = 0, operations = 0;  // of the run as it will be
};

struct SweepShape {
  LlamaConfig model;              // all but its width
  size_t positions = 256;         // T
  double tokens_per_step = 1024;  // positions in a batch
  size_t sizes = 6;               // for each budget
  double width_of_grid = 4;       // from the best size, as it is thought, to the largest and to the smallest: a factor
  double parameters_at_1e12 = 1e5;  // what is thought best for 1e12 operations; with C it grows as √C
};

/// The runs, by budget and size. Sizes that would be the same model are one run. Throws UserError for a budget that
/// does not last for 10 steps.
std::vector<PlannedRun> plan_sweep(const SweepShape& shape, std::span<const double> budgets);

}  // namespace cria
