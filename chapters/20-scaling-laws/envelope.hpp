// Chapter 20: approach 1 of Hoffmann et al. 2022 (arXiv:2203.15556), section 3.1. At each number of operations, which
// of all runs has the lowest loss by then? Its size and tokens are the best ones known for so many operations.
#pragma once

#include <span>
#include <vector>

#include "chapters/20-scaling-laws/power_law.hpp"
#include "chapters/20-scaling-laws/scaling_run.hpp"

namespace cria {

/// The run as it was after so many operations, between two of its points on a line in logarithms; a loss of infinity
/// before its first point and behind its last.
ScalingRun curve_at(const TrainingCurve& curve, double operations);

/// The lowest of all curves at `count` numbers of operations, evenly spread in logarithms; those that fewer than
/// three curves have are dropped. Places where the smallest or the largest of these models is the best one are left
/// out: a better one may lie beyond. Throws UserError where none is left.
std::vector<ScalingRun> lower_envelope(std::span<const TrainingCurve> curves, size_t count = 1500);

/// Power laws through the envelope.
OptimumLaws fit_envelope(std::span<const TrainingCurve> curves, size_t count = 1500);

}  // namespace cria
