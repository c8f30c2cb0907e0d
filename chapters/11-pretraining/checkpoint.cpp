// Chapter 11, checkpoints: a safetensors file whose metadata holds the training state.
#include "chapters/11-pretraining/checkpoint.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "lib/base/check.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace {

using Parts = std::array<std::pair<const char*, const LlamaParameters*>, 3>;

Parts parts(const LlamaParameters& weights, const AdamW& optimiser) {
  return {{{"weights.", &weights},
           {"first_moment.", &optimiser.first_moment()},
           {"second_moment.", &optimiser.second_moment()}}};
}

}  // namespace

void write_checkpoint(const std::filesystem::path& file, const TrainingState& state, const LlamaParameters& weights,
                      const AdamW& optimiser) {
  std::vector<TensorToWrite> tensors;
  for (const auto& [prefix, parameters] : parts(weights, optimiser))
    parameters->for_each([&, prefix = prefix](const std::string& name, const auto& view) {
      tensors.push_back({prefix + name, {view.shape().begin(), view.shape().end()}, view.span()});
    });
  std::map<std::string, std::string> metadata = {
      {"step", fmt::format("{}", state.step)},         {"seconds", fmt::format("{}", state.seconds)},
      {"position", fmt::format("{}", state.position)}, {"data", state.data},
      {"seed", fmt::format("{}", state.seed)},         {"recipe", state.recipe}};
  if (state.goal_steps) metadata["goal_steps"] = fmt::format("{}", *state.goal_steps);
  if (state.goal_minutes) metadata["goal_minutes"] = fmt::format("{}", *state.goal_minutes);
  if (state.fingerprint) metadata["fingerprint"] = fmt::format("{}", *state.fingerprint);
  write_safetensors(file, tensors, metadata, sizeof(real) == 8 ? ElementType::f64 : ElementType::f32);
}

TrainingState read_training_state(const std::filesystem::path& file) {
  const SafetensorsFile stored(file);
  const auto text = [&](const char* key) {
    const auto found = stored.metadata().find(key);
    if (found == stored.metadata().end())
      throw UserError(fmt::format("{} is no checkpoint of a training run: its metadata lacks {}", file.string(), key));
    return found->second;
  };
  const auto number = [&](const char* key, auto& value) {
    const std::string digits = text(key);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
      throw UserError(
          fmt::format("{}: {} is \"{}\", expected a number; the file is damaged", file.string(), key, digits));
  };
  TrainingState state;
  number("step", state.step);
  number("seconds", state.seconds);
  number("position", state.position);
  number("seed", state.seed);
  if (!(state.seconds >= 0) || !std::isfinite(state.seconds))
    throw UserError(
        fmt::format("{}: seconds is {}, expected 0 or more; the file is damaged", file.string(), state.seconds));
  if (stored.metadata().contains("goal_steps")) number("goal_steps", state.goal_steps.emplace());
  if (stored.metadata().contains("goal_minutes")) number("goal_minutes", state.goal_minutes.emplace());
  if (stored.metadata().contains("fingerprint")) number("fingerprint", state.fingerprint.emplace());
  state.data = text("data");
  state.recipe = text("recipe");
  return state;
}

void read_checkpoint(const std::filesystem::path& file, const LlamaParameters& weights, AdamW& optimiser) {
  const SafetensorsFile stored(file);
  for (const auto& [prefix, parameters] : parts(weights, optimiser))
    parameters->for_each(
        [&, prefix = prefix](const std::string& name, const auto& view) { stored.copy_to(prefix + name, view); });
  optimiser.set_steps(read_training_state(file).step);
}

}  // namespace cria
