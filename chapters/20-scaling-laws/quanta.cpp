// Chapter 20, quanta.
#include "chapters/20-scaling-laws/quanta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"

namespace cria {

double share_not_held(std::span<const double> p, double held) {
  require(held >= 0, "share_not_held", "expected a number of quanta that is not below 0");
  const size_t whole = held < double(p.size()) ? size_t(held) : p.size();
  double share = 0;
  // solution: share_not_held
  for (size_t k = p.size(); k-- > whole;) share += p[k];
  if (whole < p.size()) share -= (held - double(whole)) * p[whole];
  // end of solution
  return share;
}

double share_not_met(std::span<const double> p, double draws) {
  require(draws >= 0, "share_not_met", "expected a number of draws that is not below 0");
  double share = 0;
  for (size_t k = p.size(); k-- > 0;) {
    // solution: share_not_met
    share += p[k] * std::pow(1 - p[k], draws);
    // end of solution
  }
  return share;
}

QuantaExponents quanta_exponents(double alpha) {
  QuantaExponents exponents;
  // solution: quanta_exponents
  exponents.alpha = alpha;  // the sum from `held` on is about the integral
  // Met are about those with p_k · draws > 1: the draws^(1 / (1 + α)) most frequent.
  exponents.beta = alpha / (1 + alpha);
  // end of solution
  return exponents;
}

namespace {

/// Where a share that falls from 1 to 0 comes to this value.
template <class Share>
double place_of(Share&& share_at, double share, const char* what) {
  if (!(share > 0 && share < 1))
    throw UserError(fmt::format(
        "the fit's part of the {} is {:.3g} of what lacking all quanta costs, expected between 0 and 1", what, share));
  double low = 0, high = 1;
  while (share_at(high) > share && high < 1e18) high *= 2;
  for (int i = 0; i < 60; ++i) (share_at((low + high) / 2) > share ? low : high) = (low + high) / 2;
  return high;
}

}  // namespace

QuantaTheory theory_of_runs(std::span<const double> p, double cost, const LossSurface& fitted,
                            std::span<const ScalingRun> runs) {
  require(!runs.empty(), "theory_of_runs", "expected runs");
  double log_n = 0, log_d = 0;
  for (const ScalingRun& run : runs) log_n += std::log(run.parameters), log_d += std::log(run.tokens);
  const double n = std::exp(log_n / double(runs.size())), d = std::exp(log_d / double(runs.size()));
  QuantaTheory theory;
  theory.held = place_of([&](double held) { return share_not_held(p, held); },
                         fitted.A / std::pow(n, fitted.alpha) / cost, "size");
  theory.met = place_of([&](double draws) { return share_not_met(p, draws); },
                        fitted.B / std::pow(d, fitted.beta) / cost, "tokens");
  theory.parameters = n / theory.held, theory.tokens = d / theory.met;
  theory.runs.assign(runs.begin(), runs.end());
  for (ScalingRun& run : theory.runs)
    run.loss = fitted.E + cost * (share_not_held(p, run.parameters / theory.parameters) +
                                  share_not_met(p, run.tokens / theory.tokens));
  return theory;
}

}  // namespace cria
