// cria trace: where do my numbers differ from another implementation's?
#include "app/weights/trace.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/run/adapter.hpp"
#include "app/run/sample.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"
#include "lib/formats/npy.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace {

struct NamedTensor {
  std::string name;
  std::vector<size_t> shape;
  std::span<const real> values;
};

/// The first place where two tensors differ beyond the tolerance, or nothing.
struct Difference {
  double largest = 0;
  std::optional<size_t> first;
  double actual = 0, expected = 0;
};

Difference compare(std::span<const real> actual, std::span<const double> expected, double tolerance) {
  Difference difference;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double gap = std::abs(actual[i] - expected[i]);
    if (!(gap <= difference.largest)) difference.largest = gap;
    if (!(gap <= tolerance) && !difference.first) difference = {difference.largest, i, actual[i], expected[i]};
  }
  return difference;
}

std::string place(size_t index, const std::vector<size_t>& shape) {
  std::vector<size_t> at(shape.size());
  for (size_t axis = shape.size(); axis-- > 0; index /= shape[axis]) at[axis] = index % shape[axis];
  return shape_text(at);
}

class Report {
 public:
  explicit Report(bool json) : json_(json) {}

  void add(const NamedTensor& tensor, const std::vector<size_t>& shape, std::span<const double> expected,
           double tolerance) {
    if (shape != tensor.shape)
      return add(tensor.name, false,
                 fmt::format("has shape {}, expected {}", shape_text(tensor.shape), shape_text(shape)), 0);
    const Difference d = compare(tensor.values, expected, tolerance);
    add(tensor.name, !d.first,
        d.first ? fmt::format("differs at {}: is {:.8g}, expected {:.8g}; at most by {:.3g}, tolerance {:.3g}",
                              place(*d.first, shape), d.actual, d.expected, d.largest, tolerance)
                : fmt::format("agrees, at most {:.3g} apart, tolerance {:.3g}", d.largest, tolerance),
        d.largest);
  }

  bool empty() const { return rows_.empty(); }

  int finish() const {
    if (json_)
      fmt::print("{}\n", nlohmann::ordered_json{{"tensors", rows_}, {"first_difference", first_}}.dump(2));
    else if (first_.is_null())
      fmt::print("{} tensors agree.\n", rows_.size());
    else
      fmt::print("The first tensor that differs is {}.\n", first_.get<std::string>());
    return first_.is_null() ? 0 : 1;
  }

 private:
  void add(const std::string& name, bool agrees, const std::string& text, double largest) {
    rows_.push_back({{"name", name}, {"agrees", agrees}, {"largest_difference", largest}, {"text", text}});
    if (!agrees && first_.is_null()) first_ = name;
    if (!json_) fmt::print("{:<32} {}\n", name, text);
  }

  bool json_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array(), first_ = nullptr;
};

View<const std::int32_t, 2> read_tokens(const std::string& file, size_t vocabulary, std::vector<std::int32_t>& memory) {
  const NpyArray npy = read_npy(file);
  if (npy.shape.empty() || npy.shape.size() > 2 || npy.values.empty())
    throw UserError(fmt::format("{}: shape {}, expected token ids as (T) or (B, T)", file, shape_text(npy.shape)));
  for (const double id : npy.values) {
    if (id != std::floor(id) || id < 0 || id >= double(vocabulary))
      throw UserError(fmt::format("{}: token id {} is out of range, expected 0 to {}", file, id, vocabulary - 1));
    memory.push_back(static_cast<std::int32_t>(id));
  }
  const size_t B = npy.shape.size() == 2 ? npy.shape[0] : 1;
  return {memory.data(), {B, memory.size() / B}};
}

View<const std::int32_t, 2> tokens_of(const TraceOptions& options, const Model& model,
                                      std::vector<std::int32_t>& memory) {
  if (options.prompt.has_value() == !options.tokens.empty())
    throw UserError("expected a text with -p, or the .npy of token ids with --tokens");
  if (!options.tokens.empty()) return read_tokens(options.tokens, model.config.llama.vocabulary_size, memory);
  memory = prompt_tokens(model, read_prompt(options.prompt));
  return {memory.data(), {1, memory.size()}};
}

std::vector<NamedTensor> list_tensors(const LlamaConfig& c, const LossEvaluator& evaluator, size_t B, size_t T) {
  std::vector<NamedTensor> tensors;
  const auto add = [&](const std::string& name, View<const real, 2> rows) {
    tensors.push_back({name, {B, T, rows.shape(1)}, rows.span()});
  };
  const LlamaActivations& a = evaluator.activations();
  add("hidden_0", a.layer(0).input);
  for (size_t i = 0; i < c.layers; ++i) {
    const LayerActivations& layer = a.layer(i);
    const auto inside = [&](const char* name, View<const real, 2> rows) {
      add(fmt::format("layer_{}_{}", i, name), rows);
    };
    inside("attention_norm", layer.attention_normed);
    inside("query", layer.query);
    inside("key", layer.key);
    inside("value", layer.value);
    inside("attention", layer.attended);
    inside("middle", layer.middle);
    inside("feed_forward_norm", layer.feed_forward_normed);
    inside("gate", layer.gate);
    inside("up", layer.up);
    inside("swiglu", layer.gated);
    add(fmt::format("hidden_{}", i + 1), layer.output);
  }
  add("hidden_norm", a.normed);
  add("logits", evaluator.logits());
  return tensors;
}

std::vector<double> as_double(const StoredTensor& stored, std::span<const std::byte> bytes) {
  std::vector<double> values(bytes.size() / element_size(stored.type));
  convert_elements(stored.type, bytes.data(), std::span(values));
  return values;
}

}  // namespace

int run_trace(const TraceOptions& options) {
  if (!(options.tolerance >= 0))
    throw UserError(fmt::format("--tolerance is {}, expected 0 or more", options.tolerance));
  if (options.gradients && !options.adapter.empty())
    throw UserError("--gradients are those of a model's weights, expected no --adapter beside it");
  const Model model = open_model(model_folder(options.model));
  const LlamaWeights weights = with_adapter(model.weights, options.adapter);
  const LlamaConfig& config = model.config.llama;
  std::vector<std::int32_t> ids;
  const View<const std::int32_t, 2> tokens = tokens_of(options, model, ids);
  const size_t B = tokens.shape(0), T = tokens.shape(1);

  // Every token is to be predicted from those before it; the last one of a row has no successor.
  std::vector<std::int32_t> targets(ids.size(), no_target);
  for (size_t n = 0; n < ids.size(); ++n)
    if (n % T + 1 < T) targets[n] = ids[n + 1];
  const Batch batch{tokens, {targets.data(), {B, T}}};
  LossEvaluator evaluator(config, B, T, true);
  const LlamaParameters gradients(config);
  const double count = double(std::max<size_t>(count_targets(batch), 1));
  const double loss = options.gradients ? evaluator.forward_backward(weights, batch, 1 / count, gradients) / count
                                        : evaluator.forward(weights, batch) / count;
  const std::vector<NamedTensor> tensors = list_tensors(config, evaluator, B, T);
  std::vector<TensorToWrite> gradient_tensors;
  gradients.for_each([&](const std::string& name, const auto& view) {
    gradient_tensors.push_back({name, {view.shape().begin(), view.shape().end()}, view.span()});
  });

  const std::filesystem::path out = options.out;
  std::filesystem::create_directories(out);
  for (const NamedTensor& tensor : tensors)
    write_npy(out / (tensor.name + ".npy"), sizeof(real) == 8 ? "<f8" : "<f4", tensor.shape,
              std::as_bytes(tensor.values));
  const std::vector<double> loss_value = {loss};
  write_npy(out / "loss.npy", View<const double, 1>(loss_value.data(), {1}));
  if (options.gradients) write_safetensors(out / "grads.safetensors", gradient_tensors);
  if (options.against.empty()) {
    if (options.json)
      fmt::print("{}\n",
                 nlohmann::ordered_json{{"loss", loss}, {"tensors", tensors.size()}, {"folder", options.out}}.dump(
                     -1, ' ', false, nlohmann::json::error_handler_t::replace));
    else
      fmt::print("{} tensors of {} tokens are in {}; loss {:.8f}\n", tensors.size(), ids.size(), options.out, loss);
    return 0;
  }

  const std::filesystem::path against = options.against;
  Report report(options.json);
  for (const NamedTensor& tensor : tensors)
    if (const auto file = against / (tensor.name + ".npy"); std::filesystem::exists(file)) {
      const NpyArray expected = read_npy(file);
      report.add(tensor, expected.shape, expected.values, options.tolerance);
    }
  if (std::filesystem::exists(against / "expected.json")) {
    const auto expected = read_json(against / "expected.json");
    if (expected.is_object() && expected.contains("loss") && expected["loss"].is_number()) {
      const real value = real(loss);
      const std::vector<double> wanted = {expected["loss"].get<double>()};
      report.add({"loss", {1}, {&value, 1}}, {1}, wanted, options.tolerance / 10);
    }
  }
  if (const auto file = against / "grads.safetensors"; options.gradients && std::filesystem::exists(file)) {
    const SafetensorsFile expected(file);
    for (const TensorToWrite& tensor : gradient_tensors) {
      const StoredTensor& stored = expected.tensor(tensor.name);
      const std::vector<double> values = as_double(stored, stored.bytes);
      double largest = 0;
      for (const double value : values) largest = std::max(largest, std::abs(value));
      report.add({"gradient of " + tensor.name, tensor.shape, tensor.values}, stored.shape, values,
                 options.tolerance * largest + options.tolerance / 100);
    }
  }
  if (report.empty())
    throw UserError(
        fmt::format("{} holds nothing to compare with: expected hidden_0.npy, logits.npy or other tensors "
                    "of these names",
                    options.against));
  return report.finish();
}

}  // namespace cria
