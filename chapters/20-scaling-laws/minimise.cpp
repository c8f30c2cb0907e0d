// Chapter 20, BFGS.
#include "chapters/20-scaling-laws/minimise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/check.hpp"

namespace cria {
namespace {

using Vector = std::vector<double>;

double inner(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// -H g
Vector downhill(std::span<const double> inverse, std::span<const double> gradient) {
  Vector direction(gradient.size());
  for (size_t i = 0; i < gradient.size(); ++i)
    direction[i] = -inner(inverse.subspan(i * gradient.size(), gradient.size()), gradient);
  return direction;
}

struct Place {
  Vector x, gradient;
  double value;
};

class Descent {
 public:
  Descent(const SmoothFunction& function, Vector start) : function_(function), here_(evaluate(std::move(start))) {}

  const Place& here() const { return here_; }

  /// Along the direction to a place that is lower enough, and where the slope has become flatter enough (the weak
  /// conditions of Wolfe): too long a step is halved, too short a one doubled. False where there is none.
  bool go(const Vector& direction, double first) {
    const double slope = inner(here_.gradient, direction);
    if (!(slope < 0)) return false;
    double shortest = 0, longest = std::numeric_limits<double>::infinity(), length = first;
    for (int tries = 0; tries < 60; ++tries) {
      Vector x = here_.x;
      for (size_t i = 0; i < x.size(); ++i) x[i] += length * direction[i];
      Place there = evaluate(std::move(x));
      if (!(there.value <= here_.value + 1e-4 * length * slope)) {
        longest = length;
      } else if (inner(there.gradient, direction) < 0.9 * slope) {
        shortest = length;
      } else {
        if (!(there.value < here_.value)) return false;
        before_ = std::move(here_), here_ = std::move(there);
        return true;
      }
      length = std::isinf(longest) ? 2 * length : (shortest + longest) / 2;
    }
    return false;
  }

  Vector step() const { return difference(here_.x, before_.x); }
  Vector change() const { return difference(here_.gradient, before_.gradient); }

 private:
  Place evaluate(Vector x) const {
    Place place{std::move(x), {}, 0};
    place.gradient.resize(place.x.size());
    place.value = function_(place.x, place.gradient);
    if (!std::isfinite(place.value)) place.value = std::numeric_limits<double>::infinity();
    return place;
  }
  static Vector difference(const Vector& a, const Vector& b) {
    Vector d(a.size());
    for (size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
    return d;
  }

  const SmoothFunction& function_;
  Place here_, before_;
};

void set_identity(std::span<double> matrix, size_t n, double factor) {
  std::ranges::fill(matrix, 0.0);
  for (size_t i = 0; i < n; ++i) matrix[i * n + i] = factor;
}

}  // namespace

void update_inverse_hessian(std::span<double> inverse, std::span<const double> step, std::span<const double> change) {
  const size_t n = step.size();
  require(inverse.size() == n * n && change.size() == n, "update_inverse_hessian", "expected n x n, n and n numbers");
  const double along = inner(step, change);
  // solution: update_inverse_hessian
  Vector turned(n);  // H y
  for (size_t i = 0; i < n; ++i) turned[i] = inner(inverse.subspan(i * n, n), change);
  const double factor = (1 + inner(change, turned) / along) / along;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      inverse[i * n + j] += factor * step[i] * step[j] - (turned[i] * step[j] + step[i] * turned[j]) / along;
  // end of solution
}

Minimum minimise(const SmoothFunction& function, Vector start, const MinimiseOptions& options) {
  const size_t n = start.size();
  Descent descent(function, std::move(start));
  require(std::isfinite(descent.here().value), "minimise", "expected a start where the function is finite");
  Vector inverse(n * n);
  set_identity(inverse, n, 1);
  size_t steps = 0;
  bool fresh = true;  // the matrix knows nothing of the function yet
  const auto largest = [](const Vector& v) {
    double most = 0;
    for (const double x : v) most = std::max(most, std::abs(x));
    return most;
  };
  while (steps < options.most_steps && largest(descent.here().gradient) > options.tolerance) {
    const Vector direction = downhill(inverse, descent.here().gradient);
    // The first step knows the slope's direction alone, so it is a short one.
    if (!descent.go(direction, fresh ? 0.1 / largest(direction) : 1)) {
      if (fresh) break;
      set_identity(inverse, n, 1), fresh = true;
      continue;
    }
    ++steps;
    const Vector step = descent.step(), change = descent.change();
    const double along = inner(step, change);
    if (!(along > 0)) continue;
    if (fresh) set_identity(inverse, n, along / inner(change, change)), fresh = false;
    update_inverse_hessian(inverse, step, change);
  }
  return {descent.here().x, descent.here().value, steps};
}

}  // namespace cria
