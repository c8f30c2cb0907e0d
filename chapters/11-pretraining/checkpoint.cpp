// Chapter 11, checkpoints: a safetensors file whose metadata holds the training state.
#include "chapters/11-pretraining/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "lib/base/check.hpp"
#include "lib/base/fingerprint.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace {

/// Numbers under names that begin so; `move` is what has to be done before they are written, or when they are read.
struct Part {
  std::string prefix;
  const ParameterSet* numbers;
  std::function<void()> move = {};
};
using Parts = std::vector<Part>;

Parts parts(std::span<const LearnedSet> sets) {
  Parts all;
  for (const LearnedSet& set : sets) {
    const std::string name = set.name.empty() ? "" : set.name + ".";
    all.insert(all.end(), {{name + "weights.", &set.parameters},
                           {name + "first_moment.", &set.optimiser.first_moment()},
                           {name + "second_moment.", &set.optimiser.second_moment()}});
  }
  return all;
}

Parts parts(const ParameterSet& room, const MoveHeld& move) {
  Parts all;
  for (const auto& [prefix, what] :
       {std::pair("weights.", Held::weights), std::pair("first_moment.", Held::first_moment),
        std::pair("second_moment.", Held::second_moment)})
    all.push_back({prefix, &room, [&move, what = what] { move(what); }});
  return all;
}

using Metadata = std::map<std::string, std::string>;

constexpr const char* checksum_key = "checksum";
constexpr std::string_view known_keys[] = {
    "step",      "seconds",   "position", "data", "seed", "recipe",  "fingerprint", "goal_steps", "goal_minutes",
    "best_loss", "best_step", "method",   "base", "kept", "updates", "reward",      checksum_key};

// Those that may be empty.
template <class State>
auto texts(State& state) {
  return std::array{std::pair("method", &state.method), std::pair("base", &state.base), std::pair("kept", &state.kept),
                    std::pair("reward", &state.reward)};
}

// Of the metadata; that of the tensors goes on from it. Names, shapes and places of the tensors are what the model
// expects, or the file is refused for them.
std::uint64_t checksum(const Metadata& metadata) {
  std::uint64_t sum = fingerprint_start;
  for (const auto& [key, value] : metadata)
    if (key != checksum_key) sum = fingerprint(value, fingerprint(key, sum) + value.size());
  return sum;
}

void write(const std::filesystem::path& file, const TrainingState& state, const Parts& parts) {
  Metadata metadata = {{"step", fmt::format("{}", state.step)},         {"seconds", fmt::format("{}", state.seconds)},
                       {"position", fmt::format("{}", state.position)}, {"data", state.data},
                       {"seed", fmt::format("{}", state.seed)},         {"recipe", state.recipe}};
  const auto add = [&](const char* key, const auto& value) {
    if (value) metadata[key] = fmt::format("{}", *value);
  };
  add("goal_steps", state.goal.steps);
  add("goal_minutes", state.goal.minutes);
  add("fingerprint", state.fingerprint);
  add("best_loss", state.best_loss);
  for (const auto& [key, value] : texts(state))
    if (!value->empty()) metadata[key] = *value;
  add("updates", state.updates);
  if (state.best_loss) metadata["best_step"] = fmt::format("{}", state.best_step);
  constexpr ElementType type = sizeof(real) == 8 ? ElementType::f64 : ElementType::f32;
  std::vector<TensorToWrite> tensors;
  std::map<std::string, const Part*> begun_by;  // the part that a tensor is the first of
  std::uint64_t sum = checksum(metadata);
  for (const Part& part : parts) {
    if (part.move) part.move();
    begun_by[part.prefix + part.numbers->layout().front().name] = &part;
    part.numbers->for_each([&](const std::string& name, const auto& view) {
      tensors.push_back({part.prefix + name, {view.shape().begin(), view.shape().end()}, view.span(), type});
      sum = bulk_fingerprint({reinterpret_cast<const char*>(view.data()), view.size() * sizeof(real)}, sum);
    });
  }
  metadata[checksum_key] = fmt::format("{:016x}", sum);
  write_safetensors(file, tensors, metadata, [&](const TensorToWrite& tensor) {
    const auto begun = begun_by.find(tensor.name);
    if (begun != begun_by.end() && begun->second->move) begun->second->move();
  });
}

}  // namespace

void write_checkpoint(const std::filesystem::path& file, const TrainingState& state, std::span<const LearnedSet> sets) {
  write(file, state, parts(sets));
}

void write_checkpoint(const std::filesystem::path& file, const TrainingState& state, const ParameterSet& room,
                      const MoveHeld& fetch) {
  write(file, state, parts(room, fetch));
}

namespace {

// Reads the metadata, and says which value is one that no run writes.
class StateReader {
 public:
  StateReader(const Metadata& metadata, const std::filesystem::path& file) : metadata_(metadata), file_(file.string()) {
    for (const auto& [key, value] : metadata)
      if (std::ranges::find(known_keys, key) == std::end(known_keys))
        throw UserError(
            fmt::format("{}: this version of cria does not know the metadata \"{}\"; the file is damaged, or "
                        "from another version",
                        file_, key.substr(0, 40)));
  }

  const std::string& text(const char* key) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end())
      throw UserError(fmt::format("{} is no checkpoint of a training run: its metadata lacks {}", file_, key));
    return found->second;
  }

  template <class Number>
  void number(const char* key, Number& value, bool (*good)(Number), const char* expected) const {
    const std::string& digits = text(key);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || !good(value))
      throw UserError(fmt::format("{}: {} is \"{}\", expected {}; the file is damaged", file_, key,
                                  digits.substr(0, 40), expected));
  }
  void whole(const char* key, std::uint64_t& value) const {
    number<std::uint64_t>(
        key, value, [](std::uint64_t) { return true; }, "a whole number");
  }
  template <class Number>
  void optional(const char* key, std::optional<Number>& value, bool (*good)(Number), const char* expected) const {
    if (metadata_.contains(key)) number(key, value.emplace(), good, expected);
  }

 private:
  const Metadata& metadata_;
  std::string file_;
};

}  // namespace

TrainingState read_training_state(const std::filesystem::path& file) {
  const SafetensorsFile stored(file);
  if (!stored.metadata().contains("step"))
    throw UserError(fmt::format("{} is no checkpoint of a training run: its metadata lacks step", file.string()));
  const StateReader reader(stored.metadata(), file);
  TrainingState state;
  const auto positive = [](size_t n) { return n > 0; };
  const auto time = [](double t) { return t >= 0 && std::isfinite(t); };
  reader.number<size_t>("step", state.step, positive, "a whole number above 0");
  reader.number<double>("seconds", state.seconds, time, "0 or more");
  reader.whole("position", state.position);
  reader.whole("seed", state.seed);
  reader.optional<size_t>("goal_steps", state.goal.steps, positive, "a whole number above 0");
  reader.optional<double>(
      "goal_minutes", state.goal.minutes, [](double t) { return t > 0 && std::isfinite(t); },
      "more than 0, and an end");
  if (state.goal.steps && state.goal.minutes)
    throw UserError(
        fmt::format("{}: goal_steps and goal_minutes are both there, expected one of them; the file is "
                    "damaged",
                    file.string()));
  reader.optional<std::uint64_t>(
      "fingerprint", state.fingerprint, [](std::uint64_t) { return true; }, "a whole number");
  reader.optional<std::uint64_t>(
      "updates", state.updates, [](std::uint64_t) { return true; }, "a whole number");
  reader.optional<double>(  // below 0 where what is validated is a reward, as in chapters 17 and 18
      "best_loss", state.best_loss, [](double loss) { return std::isfinite(loss); }, "a number");
  if (state.best_loss) reader.number<size_t>("best_step", state.best_step, positive, "a whole number above 0");
  if (state.best_step > state.step)
    throw UserError(fmt::format("{}: best_step is {}, expected at most step, which is {}; the file is damaged",
                                file.string(), state.best_step, state.step));
  state.data = reader.text("data");
  state.recipe = reader.text("recipe");
  for (const auto& [key, value] : texts(state))
    if (stored.metadata().contains(key)) *value = reader.text(key);
  return state;
}

namespace {

void read(const std::filesystem::path& file, const Parts& parts) {
  const SafetensorsFile stored(file);
  std::uint64_t sum = checksum(stored.metadata());
  for (const Part& part : parts) {
    part.numbers->for_each([&](const std::string& name, const auto& view) {
      const std::span<const std::byte> bytes = stored.tensor(part.prefix + name).bytes;
      sum = bulk_fingerprint({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, sum);
      stored.copy_to(part.prefix + name, view);
    });
    if (part.move) part.move();
  }
  const auto written = stored.metadata().find(checksum_key);
  if (written != stored.metadata().end() && written->second != fmt::format("{:016x}", sum))
    throw UserError(fmt::format("{}: its checksum is {}, but its content gives {:016x}; the file is damaged",
                                file.string(), written->second.substr(0, 40), sum));
}

}  // namespace

void read_checkpoint(const std::filesystem::path& file, std::span<const LearnedSet> sets) {
  const TrainingState state = read_training_state(file);
  read(file, parts(sets));
  for (const LearnedSet& set : sets) set.optimiser.set_steps(state.updates.value_or(state.step));
}

void read_checkpoint(const std::filesystem::path& file, const ParameterSet& room, const MoveHeld& take) {
  read(file, parts(room, take));
}

}  // namespace cria
