// Chapter 20: what a scaling law is fitted to.
#pragma once

#include <vector>

namespace cria {

/// A finished training run.
struct ScalingRun {
  double parameters = 0;  // N, those of embedding and head included
  double tokens = 0;      // D, that it was trained on
  double operations = 0;  // C, floating-point operations that this took
  double loss = 0;        // of held-out text; in which unit does not matter
};

/// A run on its way: held-out losses after so many tokens, the first first.
struct TrainingCurve {
  std::vector<ScalingRun> points;  // of one size
};

/// How many parameters a model has, and on how many tokens it is trained.
struct Allocation {
  double parameters = 0, tokens = 0;
};

}  // namespace cria
