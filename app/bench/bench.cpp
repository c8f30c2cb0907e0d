// cria bench: which cases are measured, in which order. docs/speed.md explains what the figures mean.
#include "app/bench/bench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "app/bench/modes.hpp"
#include "app/bench/sections.hpp"
#include "app/bench/table.hpp"
#include "app/train.hpp"
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
      {"tokenizer", tokenizer_cases},
  };
  return all;
}

bool selected(const Case& c, const std::string& section, const std::vector<std::string>& only) {
  if (only.empty()) return !c.on_request;
  return std::ranges::any_of(only, [&](const std::string& text) {
    if (c.on_request) return c.shape.find(text) != text.npos;
    const std::string all = fmt::format("{} {} {} {}", section, c.name, c.shape, c.target);
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

int run_sections(const BenchOptions& options, const Setting& setting) {
  std::vector<Result> all;
  for (const Section& section : sections()) {
    std::vector<Case> cases = section.cases(setting);
    std::erase_if(cases, [&](const Case& c) { return !selected(c, section.name, options.only); });
    if (cases.empty()) continue;
    ProgressLine progress(section.name);
    const std::vector<Result> results =
        measure(cases, setting.machine, options.repeats, [&](const Case& c, double share) { progress.show(c, share); });
    progress.clear();
    if (!options.json) print_section(section.name, results);
    all.insert(all.end(), results.begin(), results.end());
  }
  if (all.empty()) {
    std::vector<std::string> names;
    for (const Section& section : sections()) names.push_back(section.name);
    throw UserError(fmt::format("--only {} names nothing that can be measured; there are the sections {}",
                                fmt::join(options.only, ","), fmt::join(names, ", ")));
  }
  if (options.json)
    print_json(all);
  else if (options.only.empty())
    fmt::print("\nThe shape 1.1B takes 4.4 GB and some minutes; it is measured with --only 1.1B.\n");
  return 0;
}

}  // namespace

int run_bench(const BenchOptions& options) {
  if (options.repeats == 0) throw UserError("--repeats is 0, expected at least 1");
  if (!options.svg.empty() && options.what != "context") throw UserError("--svg belongs to cria bench context");
  if (options.what == "memory") return bench_memory(options);

  ThreadPool pool(thread_count(options.threads));
  const Machine machine(pool);
  Setting setting{.machine = machine, .thread_counts = {1}, .target = simd::active().target};
  if (pool.size() > 1) setting.thread_counts.push_back(pool.size());
  std::optional<OtherGemm> other;
  if (!options.against.empty()) setting.other = &other.emplace(options.against);
  if (!options.config.empty()) setting.config = user_config(options.config);
  setting.tokenizer = options.tokenizer;
  setting.text = options.text;

  if (options.what == "all") return run_sections(options, setting);
  if (options.what == "ladder") return bench_ladder(options, setting);
  if (options.what == "context") return bench_context(options, setting);
  throw UserError(fmt::format("cria bench {}: expected all, ladder, context or memory", options.what));
}

}  // namespace cria
