#include "app/bench/measure.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <thread>

#include "app/bench/machine.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double shortest_turn = 0.02;  // seconds; the clock and a thread's awakening take microseconds
// A limit is the best of many turns, each short enough to end before another process is given the core.
constexpr double shortest_limit_turn = 0.002;
constexpr int limit_turns_at_once = 10;
constexpr std::chrono::milliseconds limit_holds(500);  // for what is measured beside it

/// Seconds by the clock of the process's work, which stands still while another process has the core.
double processor_seconds(const std::function<void()>& call) {
  const auto now = [] {
    timespec time;
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
  };
  const double begin = now();
  call();
  return now() - begin;
}

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * double(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - double(below)) * (sorted[above] - sorted[below]);
}

/// A case that is being measured.
class Turns {
 public:
  Turns(const Case& c, double shortest) : case_(&c), run_(c.prepare()) {
    select();
    const double first = bench::seconds(run_);  // fills caches and workspaces
    if (first < 5 * shortest) runs_ = static_cast<size_t>(std::clamp(shortest / bench::seconds(run_), 1.0, 1e6));
  }

  void take() {
    select();
    const auto turn = [&] {
      for (size_t i = 0; i < runs_; ++i) run_();
    };
    // Several threads may wait for each other, which is part of what they cost; one alone waits for nobody.
    times_.push_back((case_->threads > 1 ? bench::seconds(turn) : processor_seconds(turn)) / double(runs_));
    last_ = Clock::now();
    std::this_thread::sleep_for(case_->pause);
  }

  /// Of a limit: some turns, unless the last were a moment ago.
  void take_if_due() {
    if (!times_.empty() && Clock::now() - last_ < limit_holds) return;
    for (int i = 0; i < limit_turns_at_once; ++i) take();
  }

  const Case& of() const { return *case_; }
  double best() const { return sorted().front(); }
  double median() const { return quantile(sorted(), 0.5); }
  double spread() const { return (quantile(sorted(), 0.75) - quantile(sorted(), 0.25)) / median(); }
  double value() const { return value_at(median()); }
  double value_at(double time) const { return case_->is_cost ? time / case_->amount : case_->amount / time; }

 private:
  void select() const {
    if (case_->target != simd::active().target) simd::select_target(case_->target);
  }
  std::vector<double> sorted() const {
    std::vector<double> copy = times_;
    std::ranges::sort(copy);
    return copy;
  }

  const Case* case_;
  Case::Run run_;
  size_t runs_ = 1;
  std::vector<double> times_;
  Clock::time_point last_;
};

/// The limits of a case, as keys into those that are measured with the section.
struct LimitKeys {
  std::string multiply_add, multiply_codes, read;
};

}  // namespace

std::vector<Result> measure(std::span<const Case> cases, const Machine& machine, size_t repeats,
                            const Progress& progress) {
  // A limit is measured before and after what is held against it, and shared by all cases of that moment.
  std::map<std::string, Case> limits;
  const auto key_of = [&](Case limit) {
    const std::string key = limit.name + limit.shape + limit.target + std::to_string(limit.threads);
    limits.try_emplace(key, std::move(limit));
    return key;
  };
  const std::string best(simd::available_targets().back());  // what a cache gives does not depend on who reads
  std::vector<LimitKeys> keys;
  for (const Case& c : cases) {
    LimitKeys& k = keys.emplace_back();
    if (c.work.operations > 0) k.multiply_add = key_of(machine.multiply_add(c.target, c.threads));
    if (c.work.codes > 0) k.multiply_codes = key_of(machine.multiply_codes(c.target, c.threads));
    if (c.work.bytes > 0) k.read = key_of(machine.read(best, c.work.footprint, c.threads));
  }

  const std::string active = simd::active().target;
  std::map<std::string, Turns> limit_turns;
  for (const auto& [key, limit] : limits) limit_turns.try_emplace(key, limit, shortest_limit_turn);
  const auto take_limits = [&](const LimitKeys& k) {
    for (const std::string& key : {k.multiply_add, k.multiply_codes, k.read})
      if (!key.empty()) limit_turns.at(key).take_if_due();
  };
  std::vector<Turns> turns;
  for (const Case& c : cases) {
    progress(c, 0);
    turns.emplace_back(c, shortest_turn);
  }
  for (size_t round = 0; round < repeats; ++round) {
    for (size_t i = 0; i < turns.size(); ++i) {
      progress(turns[i].of(), double(round * turns.size() + i) / double(repeats * turns.size()));
      take_limits(keys[i]);
      turns[i].take();
      take_limits(keys[i]);
    }
  }
  simd::select_target(active);

  std::vector<Result> results;
  for (size_t i = 0; i < turns.size(); ++i) {
    const Case& c = turns[i].of();
    Result r = {c.name, c.shape, c.type, c.target, c.threads, turns[i].value(), c.unit, {}, {}, turns[i].spread(), {}};
    const auto seconds_at = [&](const std::string& key, double work) {
      return key.empty() ? 0 : work * 1e-9 * limit_turns.at(key).best() / limit_turns.at(key).of().amount;
    };
    // Both kinds of arithmetic share a core's ports, so one follows the other.
    const double floats = seconds_at(keys[i].multiply_add, c.work.operations);
    const double codes = seconds_at(keys[i].multiply_codes, c.work.codes);
    const double reading = seconds_at(keys[i].read, c.work.bytes), least = std::max(floats + codes, reading);
    const std::string& key = reading > floats + codes ? keys[i].read
                             : codes > floats         ? keys[i].multiply_codes
                                                      : keys[i].multiply_add;
    if (least > 0) r.limited_by = limit_turns.at(key).of().name;
    if (least > 0) r.limit = turns[i].value_at(least), r.fraction = least / turns[i].median();
    results.push_back(std::move(r));
  }
  return results;
}

double measure_limit(const Case& limit) {
  Turns turns(limit, shortest_limit_turn);
  for (int i = 0; i < 2 * limit_turns_at_once; ++i) turns.take();
  return turns.value_at(turns.best());
}

}  // namespace cria::bench
