// cria bench: which cases are measured, in which order. docs/speed.md explains what the figures mean.
#include "app/bench/bench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "app/bench/modes.hpp"
#include "app/bench/sections.hpp"
#include "app/bench/table.hpp"
#include "app/thread_count.hpp"
#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using namespace cria::bench;

struct Section {
  std::string name;
  std::vector<Case> (*cases)(const Setting&);
};

const std::vector<Section>& sections() {
  static const std::vector<Section> all = {
      {"limits", [](const Setting& s) { return s.machine.limits(s.thread_counts); }},
      {"primitives", primitive_cases},
      {"components", component_cases},
      {"gemm", gemm_cases},
      {"training", training_cases},
      {"inference", inference_cases},
      {"packed weights", packed_cases},
      {"tokenizer", tokenizer_cases},
  };
  return all;
}

bool selected(const Case& c, const std::string& section, const std::vector<std::string>& only) {
  if (only.empty()) return !c.on_request;
  return std::ranges::any_of(only, [&](const std::string& text) {
    if (c.on_request) return c.shape.find(text) != text.npos;
    const std::string all = fmt::format("{} {} {} {} {}", section, c.name, c.shape, c.type, c.target);
    return all.find(text) != all.npos;
  });
}

NamedConfig user_config(const std::string& path) {
  const std::filesystem::path given = path;
  const bool is_folder = std::filesystem::is_directory(given);
  const std::filesystem::path file = is_folder ? given / "config.json" : given;
  const std::string name = std::filesystem::absolute(file).parent_path().filename().string();
  return {name, read_config(file).llama};
}

/// An option that is not for `what` would be passed over in silence.
void check_options(const BenchOptions& options) {
  constexpr size_t most_repeats = 1000;
  if (options.repeats == 0 || options.repeats > most_repeats)
    throw UserError(fmt::format("--repeats is {}, expected 1 to {}", options.repeats, most_repeats));
  const auto belongs_to = [&](const char* option, bool given, std::initializer_list<const char*> places) {
    if (given && std::ranges::find(places, options.what) == places.end())
      throw UserError(
          fmt::format("{} is for cria bench {}, not for cria bench {}", option, fmt::join(places, ", "), options.what));
  };
  belongs_to("--only", !options.only.empty(), {"all"});
  belongs_to("--against", !options.against.empty(), {"all"});
  belongs_to("--type", !options.types.empty(), {"all"});
  belongs_to("--tokenizer", !options.tokenizer.empty(), {"all"});
  belongs_to("--text", !options.text.empty(), {"all"});
  belongs_to("--config", !options.config.empty(), {"all", "context", "busy"});
  belongs_to("--svg", !options.svg.empty(), {"context"});
}

ElementType type_of_weights(const std::string& name) {
  const auto type = floating_type(name);
  if (!type || *type == ElementType::f64)
    throw UserError(
        fmt::format("--type {}: expected F32, F16, BF16, or a type of blocks such as Q8_0 or Q4_K", in_quotes(name)));
  return *type;
}

int run_sections(const BenchOptions& options, const Setting& setting) {
  // All cases first, which costs nothing: a file that is missing shows now, and not after minutes.
  std::vector<std::pair<std::string, std::vector<Case>>> chosen;
  for (const Section& section : sections()) {
    std::vector<Case> cases = section.cases(setting);
    std::erase_if(cases, [&](const Case& c) { return !selected(c, section.name, options.only); });
    if (!cases.empty()) chosen.emplace_back(section.name, std::move(cases));
  }
  if (chosen.empty()) {
    std::vector<std::string> names;
    for (const Section& section : sections()) names.push_back(section.name);
    throw UserError(fmt::format("--only {} names nothing that can be measured; there are the sections {}",
                                fmt::join(options.only, ","), fmt::join(names, ", ")));
  }
  std::vector<Result> all;
  for (const auto& [name, cases] : chosen) {
    ProgressLine progress(name);
    const std::vector<Result> results =
        measure(cases, setting.machine, options.repeats, [&](const Case& c, double share) { progress.show(c, share); });
    progress.clear();
    if (!options.json) print_section(name, results);
    all.insert(all.end(), results.begin(), results.end());
  }
  if (options.json)
    print_json(all);
  else if (options.only.empty())
    fmt::print("\nThe shape 1.1B takes 4.4 GB and some minutes; it is measured with --only 1.1B.\n");
  return 0;
}

}  // namespace

int run_bench(const BenchOptions& options) {
  constexpr std::array known = {"all", "ladder", "context", "busy", "memory", "serve"};
  if (std::ranges::find(known, options.what) == known.end())
    throw UserError(fmt::format("cria bench {}: expected one of {}", options.what, fmt::join(known, ", ")));
  check_options(options);
  if (options.what == "memory") return bench_memory(options);
  if (options.what == "serve") return bench_serve(options);

  ThreadPool pool(thread_count(options.threads));
  const Machine machine(pool);
  Setting setting{.machine = machine, .thread_counts = {1}, .target = simd::active().target};
  if (pool.size() > 1) setting.thread_counts.push_back(pool.size());
  std::optional<OtherGemm> other;
  if (!options.against.empty()) setting.other = &other.emplace(options.against);
  if (!options.config.empty()) setting.config = user_config(options.config);
  for (const std::string& name : options.types) setting.types.push_back(type_of_weights(name));
  setting.tokenizer = options.tokenizer;
  setting.text = options.text;

  if (options.what == "ladder") return bench_ladder(options, setting);
  if (options.what == "context") return bench_context(options, setting);
  if (options.what == "busy") return bench_busy(options, setting);
  return run_sections(options, setting);
}

}  // namespace cria
