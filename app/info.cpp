// cria info: what runs here, and what a model costs.
#include "app/info.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <xsimd/config/xsimd_config.hpp>
#include <xtl/xtl_config.hpp>

#include "app/memory.hpp"
#include "app/train.hpp"
#include "app/training_display.hpp"
#include "chapters/09-sampling/generate.hpp"
#include "chapters/11-pretraining/model_folder.hpp"
#include "chapters/11-pretraining/recipe.hpp"
#include "chapters/12-open-weights/open_model.hpp"
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

std::string part_of_model(const std::string& name) {
  if (name.find("self_attn") != name.npos) return "attention";
  if (name.find("mlp") != name.npos) return "feed_forward";
  if (name.find("norm") != name.npos) return "norms";
  return name.find("embed") != name.npos ? "embedding" : "head";
}

size_t cache_bytes(const LlamaConfig& c, size_t positions) {
  return KvCache::bytes(c.layers, positions, c.kv_heads, c.head_dim);
}

Json describe(const LlamaConfig& c, const TrainerOptions& how) {
  LlamaTensors<real> none;
  none.layers.resize(c.layers);
  Json parts = Json::object();
  for_each_parameter(c, none, [&](const std::string& name, auto shape, auto&) {
    Json& count = parts[part_of_model(name)];
    count = (count.is_null() ? 0 : count.get<size_t>()) + element_count(shape);
  });
  const size_t parameters = parameter_count(c);
  const TrainingMemory training = training_memory(c, how, thread_count(0));
  const size_t positions = std::min(c.context, GenerationOptions().tokens);
  const DecodingMemory decoding = decoding_memory(c, positions, thread_count(0));
  return {{"vocabulary", c.vocabulary_size},
          {"dim", c.dim},
          {"hidden_dim", c.hidden_dim},
          {"layers", c.layers},
          {"heads", c.heads},
          {"kv_heads", c.kv_heads},
          {"head_dim", c.head_dim},
          {"context", c.context},
          {"rope_theta", c.rope_theta},
          {"norm_eps", c.norm_eps},
          {"tied_embeddings", c.tied_embeddings},
          {"parameters", parameters},
          {"parameters_by_part", parts},
          {"weight_bytes", parameters * sizeof(real)},
          {"training_memory",
           {{"total", training.total()},
            {"weights", training.weights},
            {"moments", training.moments},
            {"gradients", training.gradients},
            {"activations", training.activations},
            {"program", training.program},
            {"lanes", how.lanes},
            {"micro_batch", how.micro_batch},
            {"positions", how.positions}}},
          {"decoding_memory",
           {{"total", decoding.total()},
            {"weights", decoding.weights},
            {"cache", decoding.cache},
            {"activations", decoding.activations},
            {"program", decoding.program},
            {"positions", positions}}},
          {"cache_bytes_per_position", cache_bytes(c, 1)},
          {"cache_bytes", cache_bytes(c, c.context)},
          {"operations_per_token", forward_operations_per_token(c, 1)},
          {"operations_per_token_at_full_context", forward_operations_per_token(c, c.context)}};
}

std::string bytes_text(size_t bytes) {
  return bytes < (1u << 20) ? fmt::format("{:.1f} KiB", double(bytes) / 1024)
                            : fmt::format("{:.1f} MiB", double(bytes) / (1 << 20));
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

void print_model(const LlamaConfig& c, const Json& m) {
  fmt::print("\nmodel      {} layers of width {}, {} query and {} key/value heads of {}, feed-forward {}\n", c.layers,
             c.dim, c.heads, c.kv_heads, c.head_dim, c.hidden_dim);
  fmt::print("           {} tokens in the vocabulary, context {}, {} embeddings\n", c.vocabulary_size, c.context,
             c.tied_embeddings ? "tied" : "untied");
  fmt::print("parameters {}\n", m["parameters"].get<size_t>());
  for (const auto& [part, count] : m["parameters_by_part"].items())
    fmt::print("           {:>12} {}\n", count.get<size_t>(), part);
  const auto bytes = [](const Json& memory, const char* part) { return bytes_text(memory[part].get<size_t>()); };
  const Json &t = m["training_memory"], &d = m["decoding_memory"];
  fmt::print("to train   {} = {} weights + {} moments + {} gradients + {} activations + {} program\n",
             bytes(t, "total"), bytes(t, "weights"), bytes(t, "moments"), bytes(t, "gradients"),
             bytes(t, "activations"), bytes(t, "program"));
  fmt::print("           (gradients and activations of {} lanes, each with {} x {} tokens at a time)\n",
             t["lanes"].get<size_t>(), t["micro_batch"].get<size_t>(), t["positions"].get<size_t>());
  fmt::print("to sample  {} = {} weights + {} cache + {} activations + {} program\n", bytes(d, "total"),
             bytes(d, "weights"), bytes(d, "cache"), bytes(d, "activations"), bytes(d, "program"));
  fmt::print("           (a prompt and its continuation of {} tokens together)\n", d["positions"].get<size_t>());
  fmt::print(
      "cache      {} a token = 2 · {} bytes · {} head_dim · {} kv_heads · {} layers; {} for all {} of the context\n",
      bytes_text(m["cache_bytes_per_position"].get<size_t>()), sizeof(real), c.head_dim, c.kv_heads, c.layers,
      bytes_text(m["cache_bytes"].get<size_t>()), c.context);
  fmt::print("operations {} for the first token, {} for one at full context\n",
             count_text(m["operations_per_token"].get<double>()),
             count_text(m["operations_per_token_at_full_context"].get<double>()));
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
    report["model"] = describe(model->llama, how);
  }
  if (options.json) {
    fmt::print("{}\n", report.dump(2));
    return 0;
  }
  print_machine(report["machine"]);
  if (model) print_model(model->llama, report["model"]);
  return 0;
}

}  // namespace cria
