// cria bench busy: what is left when something else takes one core, as a browser does. Threads that wait for each other
// wait for the one that shares its core, so half of the speed is what a fair system leaves; far less than half is a
// pool that spins where it should sleep, or the other way round.
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <thread>

#include "app/bench/inference.hpp"
#include "app/bench/modes.hpp"
#include "app/bench/table.hpp"
#include "app/bench/training_run.hpp"
#include "lib/base/check.hpp"

namespace cria::bench {
namespace {

/// A thread that computes all the time while it is busy. On Linux it stays on the last core that this program may use;
/// elsewhere the system moves it.
class BusyCore {
 public:
  BusyCore() : thread_([this](const std::stop_token& stop) { live(stop); }) {}
  ~BusyCore() {
    thread_.request_stop();
    set(true);  // wakes it
  }
  void set(bool busy) {
    busy_.store(busy);
    busy_.notify_one();
  }

 private:
  void live(const std::stop_token& stop) const {
    stay_on_last_core();
    while (!stop.stop_requested()) {
      busy_.wait(false);
      while (busy_.load(std::memory_order_relaxed) && !stop.stop_requested()) {
      }
    }
  }
  static void stay_on_last_core() {
#if defined(__linux__)
    cpu_set_t allowed, last;
    CPU_ZERO(&last);
    if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
    for (int core = CPU_SETSIZE - 1; core >= 0; --core)
      if (CPU_ISSET(core, &allowed)) {
        CPU_SET(core, &last);
        break;
      }
    ::pthread_setaffinity_np(::pthread_self(), sizeof(last), &last);
#endif
  }

  std::atomic<bool> busy_{false};
  std::jthread thread_;
};

/// `tokens` take some tenths of a second, many slices of the system's time.
void add_pair(std::vector<Case>& cases, const Setting& setting, std::string name, const std::string& shape,
              double tokens, std::function<Case::Run()> prepare) {
  Case c = {.name = std::move(name),
            .shape = shape + ", alone",
            .target = setting.target,
            .threads = setting.threads(),
            .unit = "tokens/s",
            .amount = tokens,
            .prepare = prepare};
  cases.push_back(c);
  c.shape = shape + ", a core busy";
  c.prepare = [prepare] {
    return [core = std::make_shared<BusyCore>(), run = prepare()] {
      core->set(true);
      run();
      core->set(false);
    };
  };
  cases.push_back(std::move(c));
}

void add_training(std::vector<Case>& cases, const Setting& setting) {
  const TrainingShape shape = training_shape("A");
  constexpr size_t steps = 5;
  const size_t threads = setting.threads();
  add_pair(cases, setting, "training", shape.name, double(steps * shape.options.batch * shape.options.positions), [=] {
    return [run = std::make_shared<TrainingRun>(shape, threads)] {
      for (size_t step = 0; step < steps; ++step) run->step();
    };
  });
}

void add_decoding(std::vector<Case>& cases, const Setting& setting, const NamedConfig& model, size_t count) {
  struct Decoding {
    Decoding(const LlamaConfig& config, size_t tokens_to_feed, size_t threads)
        : weights(random_weights(config)),
          tokens(some_tokens(weights->config(), tokens_to_feed)),
          decoder(make_decoder(*weights, 256, threads)) {}
    std::shared_ptr<const LlamaParameters> weights;
    std::vector<std::int32_t> tokens;
    Decoder decoder;
  };
  add_pair(cases, setting, "decode", model.name, double(count), [=, threads = setting.threads()] {
    return [d = std::make_shared<Decoding>(model.config, count, threads)] {
      for (const std::int32_t& token : d->tokens) d->decoder.feed({&token, 1});
    };
  });
}

/// How many times as long each takes with a busy core: a line for each pair.
std::vector<Result> slowdowns(std::span<const Result> pairs) {
  std::vector<Result> results;
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
    Result r = pairs[i + 1];
    r.shape = r.name + " " + pairs[i].shape.substr(0, pairs[i].shape.find(','));
    r.name = "slowdown";
    r.value = pairs[i].value / pairs[i + 1].value;
    r.unit = "times";
    results.push_back(std::move(r));
  }
  return results;
}

}  // namespace

int bench_busy(const BenchOptions& options, const Setting& setting) {
  if (setting.threads() < 2) throw UserError("cria bench busy: one thread just moves to another core, expected two");
  std::vector<Case> cases;
  add_training(cases, setting);
  add_decoding(cases, setting, known_config("stories260K"), 6000);
  add_decoding(cases, setting, known_config("15M"), 160);
  if (setting.config) add_decoding(cases, setting, *setting.config, 40);

  const ProgressLine progress("busy");
  std::vector<Result> results =
      measure(cases, setting.machine, options.repeats, [&](const Case& c, double share) { progress.show(c, share); });
  progress.clear();
  for (Result& r : slowdowns(results)) results.push_back(std::move(r));
  options.json ? print_json(results) : print_section("busy", results);
  return 0;
}

}  // namespace cria::bench
