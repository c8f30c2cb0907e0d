// cria quantise: a model with weights of few bits.
#include "app/quantise.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "app/quantities.hpp"
#include "app/rewrite.hpp"
#include "app/train.hpp"
#include "chapters/13-quantisation/mixture.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "lib/base/check.hpp"

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

}  // namespace

int run_quantise(const QuantiseOptions& options) {
  const fs::path from = options.from, to = options.to;
  const Mixture mixture = mixture_of_name(options.type);
  if (to.extension() != ".gguf")
    throw UserError(fmt::format("{} is to hold blocks, expected a name that ends in .gguf", to.string()));
  require_free(to, ModelForm::gguf, options.overwrite);

  const Model model = open_to_rewrite(from);
  const StoredTypes types = mixed_types(model.weights, mixture);
  ThreadPool pool(thread_count(options.threads));
  const auto encode = [&pool](const TensorToWrite& tensor, std::span<const real> rows, std::string& out) {
    quantise_rows(pool, tensor.type, tensor.shape.back(), rows, {}, out);
  };
  rewrite_as_gguf(from, to, model, types, GgufBlocks{mixture.file_type, encode});
  print_result(to, model, types);
  return 0;
}

}  // namespace cria
