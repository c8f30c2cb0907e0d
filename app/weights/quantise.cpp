// cria quantise: a model with weights of few bits.
#include "app/weights/quantise.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>

#include "app/quantities.hpp"
#include "app/thread_count.hpp"
#include "app/weights/model_text.hpp"
#include "app/weights/rewrite.hpp"
#include "chapters/12-open-weights/tensor_names.hpp"
#include "chapters/13-quantisation/gptq_model.hpp"
#include "chapters/13-quantisation/importance_file.hpp"
#include "chapters/13-quantisation/mixture.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "lib/base/check.hpp"
#include "lib/base/with_name.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

Mixture mixture_of_name(const std::string& name) {
  if (const auto mixture = find_mixture(name)) return *mixture;
  throw UserError(fmt::format("--type is {}, expected {}", in_quotes(name), mixture_names()));
}

void print_result(const fs::path& to, const Model& model, const StoredTypes& types) {
  fmt::print("{}\n", contents_text(to, model, types));
  size_t bytes = 0, numbers = 0, twice = 0, plain = 0;
  model.weights.for_each([&](const std::string& name, const auto& view) {
    const ElementType type = types.at(name);
    bytes += *tensor_bytes(view.shape(), type);
    numbers += view.size();
    if (view.shape().size() == 1) return;
    const auto stored = model.types.find(name);
    twice += stored != model.types.end() && type_layout(stored->second).numbers > 1;
    plain += type == ElementType::f16;
  });
  fmt::print("{:.3f} bits per weight, {} instead of {} as F16\n", 8.0 * double(bytes) / double(numbers),
             bytes_text(double(bytes)), bytes_text(2.0 * double(numbers)));
  if (plain) fmt::print("{} matrices are F16, as their rows are no whole number of blocks\n", plain);
  if (twice) fmt::print("{} matrices were in blocks before; what that lost is lost here too\n", twice);
}

void require_gptq_options(const QuantiseOptions& options, const Mixture& mixture) {
  if (options.gptq.empty() && (options.act_order || options.damping))
    throw UserError("--act-order and --damping go with --gptq, expected a text there");
  if (!options.gptq.empty() && !has_gptq(mixture.type))
    throw UserError(fmt::format("--gptq makes Q4_0 or Q4_1, but --type is {}", mixture.name));
  if (options.damping && !(*options.damping >= 0 && std::isfinite(*options.damping)))
    throw UserError(fmt::format("--damping is {}, expected 0 or more", *options.damping));
}

using Search = std::function<void(std::string_view name, ElementType type, size_t row, std::span<const real> numbers,
                                  std::string& out)>;

/// The embedding by a search, all else by GPTQ; the model's weights become what the blocks stand for.
QuantisedMatrices second_order(const QuantiseOptions& options, const Model& model, const StoredTypes& types,
                               const Search& search, ThreadPool& pool) {
  model.weights.for_each([&](const std::string& tensor, const auto& view) {
    require_in_range(parameter_name(tensor).gguf, types.at(tensor), view.span());
  });
  const Validation text = read_calibration_text(options.from, model, options.gptq);
  const LlamaConfig& config = model.config.llama;
  const std::string embedding = "model.embed_tokens.weight", name = parameter_name(embedding).gguf;
  std::string blocks;
  if (const ElementType type = types.at(embedding); type_layout(type).numbers > 1)
    blocks = replace_by_blocks(
        config, embedding, model.weights.tensors().embedding, type,
        [&](View<const real, 2> stored, std::string& out) { search(name, type, config.dim, stored.span(), out); });
  GptqOptions chosen;
  chosen.act_order = options.act_order;
  chosen.damping = options.damping.value_or(chosen.damping);
  const bool shows = ::isatty(STDERR_FILENO);
  const auto progress = [&](size_t layers) {
    if (shows) fmt::print(stderr, "\r{} of {} layers{}", layers, config.layers, layers < config.layers ? "" : "\n");
  };
  QuantisedMatrices ready =
      with_name(options.from, [&] { return gptq_model(model.weights, types, text.batches, chosen, pool, progress); });
  if (!blocks.empty()) ready.emplace(name, std::move(blocks));
  return ready;
}

}  // namespace

int run_quantise(const QuantiseOptions& options) {
  const fs::path from = options.from, to = options.to;
  const Mixture mixture = mixture_of_name(options.type);
  if (to.extension() != ".gguf")
    throw UserError(fmt::format("{} is to hold blocks, expected a name that ends in .gguf", to.string()));
  require_gptq_options(options, mixture);
  require_free(to, ModelForm::gguf, options.overwrite);

  const Importance importance = options.importance.empty() ? Importance() : read_importance(options.importance);
  const Model model = open_to_rewrite(from);
  if (!options.importance.empty()) require_importance_of(model.weights, importance, options.importance);
  const StoredTypes types = mixed_types(model.weights, mixture);
  ThreadPool pool(thread_count(options.threads));
  const auto search = [&](std::string_view name, ElementType type, size_t row, std::span<const real> numbers,
                          std::string& out) { quantise_rows(pool, type, row, numbers, importance.of(name), out); };
  QuantisedMatrices ready;
  if (!options.gptq.empty()) ready = second_order(options, model, types, search, pool);
  std::map<std::string_view, std::string_view> left(ready.begin(), ready.end());  // of each, what is not written yet
  const auto encode = [&](const TensorToWrite& tensor, std::span<const real> rows, std::string& out) {
    const auto blocks = left.find(tensor.name);
    if (blocks == left.end()) return search(tensor.name, tensor.type, tensor.shape.back(), rows, out);
    const size_t bytes = rows.size() / type_layout(tensor.type).numbers * element_size(tensor.type);
    out += blocks->second.substr(0, bytes);
    blocks->second.remove_prefix(bytes);
  };
  rewrite_as_gguf(from, to, model, types, GgufBlocks{mixture.file_type, encode});
  print_result(to, model, types);
  return 0;
}

}  // namespace cria
