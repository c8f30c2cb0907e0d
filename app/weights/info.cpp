// cria info: what runs here, and what a model costs.
#include "app/weights/info.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <xsimd/config/xsimd_config.hpp>
#include <xtl/xtl_config.hpp>

#include "app/run/cache_type.hpp"
#include "app/weights/model_costs.hpp"
#include "chapters/09-sampling/generate.hpp"
#include "chapters/11-pretraining/recipe.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/12-open-weights/quantised_weights.hpp"
#include "lib/base/check.hpp"
#include "lib/base/cpus.hpp"
#include "lib/base/xtensor.hpp"
#include "lib/simd/primitives.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

#if defined(__GNUC__) && !defined(__clang__)
constexpr auto compiler = "gcc " __VERSION__;  // clang's version begins with its name, gcc's does not
#else
constexpr auto compiler = __VERSION__;
#endif

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

Json machine() {
  return {{"cpu", cpu_name()},
          {"threads", available_cpus()},
          {"kernels", simd::active().target},
          {"kernels_available", simd::available_targets()},
          {"number_type", sizeof(real) == 8 ? "double" : "float"},
          {"compiler", compiler},
          {"libraries",
           {{"xtensor", fmt::format("{}.{}.{}", XTENSOR_VERSION_MAJOR, XTENSOR_VERSION_MINOR, XTENSOR_VERSION_PATCH)},
            {"xtl", fmt::format("{}.{}.{}", XTL_VERSION_MAJOR, XTL_VERSION_MINOR, XTL_VERSION_PATCH)},
            {"xsimd", fmt::format("{}.{}.{}", XSIMD_VERSION_MAJOR, XSIMD_VERSION_MINOR, XSIMD_VERSION_PATCH)},
            {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
            {"nlohmann_json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                          NLOHMANN_JSON_VERSION_PATCH)}}}};
}

void print_machine(const Json& m) {
  fmt::print("cpu        {}, {} thread{}\n", m["cpu"].get<std::string>(), m["threads"].get<int>(),
             m["threads"] == 1 ? "" : "s");
  fmt::print("kernels    {} (available: {}), numbers are {}\n", m["kernels"].get<std::string>(),
             fmt::join(simd::available_targets(), ", "), m["number_type"].get<std::string>());
  std::vector<std::string> libraries;
  for (const auto& [name, version] : m["libraries"].items())
    libraries.push_back(name + " " + version.get<std::string>());
  fmt::print("built      by {} with {}\n", m["compiler"].get<std::string>(), fmt::join(libraries, ", "));
}

/// It is in memory beside the weights, and counted where it is open. One that is refused is no matter here.
std::unique_ptr<Tokenizer> tokenizer_of(const std::filesystem::path& model) {
  try {
    return open_own_tokenizer(model);
  } catch (const UserError&) {
    return nullptr;
  }
}

}  // namespace

int run_info(const InfoOptions& options) {
  Json report = {{"machine", machine()}};
  std::optional<ModelConfig> model;
  if (!options.model.empty()) {
    const std::filesystem::path folder = options.model;
    model = open_config(folder);
    TrainerOptions how;
    how.positions = model->llama.context;
    if (std::filesystem::exists(folder / "recipe.yaml")) how = read_recipe(folder / "recipe.yaml").training;
    const auto tokenizer = tokenizer_of(folder);
    Json& costs = report["model"];
    costs = model_costs(model->llama, how, std::min(model->llama.context, GenerationOptions().tokens),
                        read_cache_type(options.cache_type, model->llama), 1, packed_weight_bytes(folder));
    if (const auto quantisation = open_quantisation(folder))
      costs["quantisation"] = {
          {"scheme", quantisation_text(*quantisation)},
          {"bits_per_weight", 8.0 * double(QuantisedWeights(folder, *quantisation).bytes(model->llama)) /
                                  double(parameter_count(model->llama))}};
  }
  if (options.json) {
    fmt::print("{}\n", report.dump(2));
    return 0;
  }
  print_machine(report["machine"]);
  if (model) {
    fmt::print("\n");
    print_model_costs(report["model"]);
  }
  return 0;
}

}  // namespace cria
