// Models whose weights stay packed: the logits are those of the same numbers as floats, within what rounding the
// activations to 8 bits explains; and how they are divided changes no bit.
#include <algorithm>
#include <cmath>
#include <map>

#include "chapters/09-sampling/decoder.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "lib/tensor/tensor.hpp"
#include "tests/apart.hpp"
#include "tests/chapters/published_models.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// Heads of 8, so that parts of the rows begin within a group of 16; rows of whole blocks of the type.
LlamaConfig config_of(ElementType type, bool tied) {
  LlamaConfig c;
  c.vocabulary_size = 300, c.dim = 64, c.hidden_dim = 96, c.layers = 3, c.heads = 8, c.kv_heads = 4, c.head_dim = 8;
  if (type_layout(type).numbers == 256) c.dim = 256, c.hidden_dim = 512, c.heads = 32;
  c.context = 64, c.rope_theta = 10000, c.norm_eps = 1e-5, c.tied_embeddings = tied;
  return c;
}

void write_model(const std::filesystem::path& path, const LlamaConfig& config, ElementType type) {
  const EncodeRows quantise = [](const TensorToWrite& tensor, std::span<const real> rows, std::string& out) {
    ThreadPool pool(1);
    quantise_rows(pool, tensor.type, tensor.shape.back(), rows, {}, out);
  };
  const LlamaParameters weights = published_weights(config);
  weights.for_each([&]<size_t N>(const std::string&, const View<real, N>& view) {
    if constexpr (N == 2) noalias(view) *= 8 / std::sqrt(real(config.dim));  // products of one size in all widths
  });
  write_as_gguf(path, weights, {}, type, can_quantise(type) ? quantise : EncodeRows());
}

/// Logits after a prompt, and after each of some tokens more.
std::vector<real> logits_of(const LlamaWeights& weights, size_t threads = 1, size_t chunk = default_chunk) {
  Decoder decoder(weights, 40, chunk, threads);
  std::vector<std::int32_t> prompt;
  for (std::int32_t i = 0; i < 23; ++i) prompt.push_back(i * 37 % 300);
  std::vector<real> all;
  const auto keep = [&](std::span<const real> logits) { all.insert(all.end(), logits.begin(), logits.end()); };
  keep(decoder.feed(prompt));
  for (std::int32_t token : {5, 299, 0}) keep(decoder.feed({&token, 1}));
  return all;
}

/// The largest difference, as a share of the logits' deviation.
double largest_error(const std::vector<real>& actual, const std::vector<real>& expected) {
  double largest = 0, squares = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(double(actual[i]) - expected[i]);
    if (!(error <= largest)) largest = error;
    squares += double(expected[i]) * expected[i];
  }
  return largest / std::sqrt(squares / double(actual.size()));
}

}  // namespace

TEST_CASE("a packed model gives the logits of the numbers that its file stands for") {
  const TemporaryFolder folder;
  for (int i = int(ElementType::f16); i <= int(ElementType::iq4_xs); ++i) {
    const ElementType type{i};
    const bool tied = i % 2 == 0;
    if (type == ElementType::f64) continue;
    INFO(type_layout(type).name << (tied ? ", tied" : ""));
    write_model(folder / "a.gguf", config_of(type, tied), type);
    const Model plain = open_model(folder / "a.gguf");
    const PackedModel packed = open_packed_model(folder / "a.gguf");
    CHECK(packed.weights.tensors.layers[0].query.is_packed() == (type != ElementType::f32));
    CHECK(packed.config.llama == plain.config.llama);
    const double error = largest_error(logits_of(packed.weights), logits_of(plain.weights));
    UNSCOPED_INFO("error " << error);
    // Of 16 bits sums are in another order; measured: 1.7e-6. In blocks activations are rounded to 8 bits; measured: up
    // to 0.093. Half a step of 127 in the largest of 32 is 0.6 % of the deviation; there are seven products in each of
    // three layers, and this is the largest error of 1200.
    CHECK(error <= (type_layout(type).numbers > 1 ? 0.1 : type == ElementType::f32 ? 0 : 5e-6));
  }
}

TEST_CASE("a folder's matrices of 16 bits stay as they are, too") {
  const TemporaryFolder folder;
  for (ElementType type : {ElementType::f32, ElementType::f16, ElementType::bf16}) {
    INFO(type_layout(type).name);
    const LlamaConfig config = config_of(type, true);
    const LlamaParameters weights = published_weights(config);
    StoredTypes types;
    weights.for_each([&](const std::string& name, const auto&) { types[name] = type; });
    write_config(folder / "config.json", {config, {}, {}});
    write_weights(folder / "model.safetensors", weights, types);
    const PackedModel packed = open_packed_model(folder.path());
    CHECK(packed.weights.tensors.layers[0].query.is_packed() == (type != ElementType::f32));
    CHECK(packed.weights.tensors.head.is_packed() == (type != ElementType::f32));
    const double error = largest_error(logits_of(packed.weights), logits_of(open_model(folder.path()).weights));
    UNSCOPED_INFO("error " << error);
    CHECK(error <= (type == ElementType::f32 ? 0 : 5e-6));
    const double bytes = double(parameter_count(config)) * (type == ElementType::f32 ? sizeof(real) : 2);
    CHECK(double(packed_weight_bytes(folder.path())) / bytes <= 1.02);
  }
}

TEST_CASE("a packed model has the same bits for a team of any size") {
  const TemporaryFolder folder;
  for (ElementType type :
       {ElementType::f16, ElementType::q8_0, ElementType::q4_0, ElementType::q4_k, ElementType::q6_k}) {
    INFO(type_layout(type).name);
    write_model(folder / "a.gguf", config_of(type, false), type);
    const PackedModel model = open_packed_model(folder / "a.gguf");
    const std::vector<real> alone = logits_of(model.weights);
    for (size_t threads : {2, 3, 4}) CHECK(logits_of(model.weights, threads) == alone);
  }
}

TEST_CASE("the weights of a packed model take about what its file does, as is known before") {
  const TemporaryFolder folder;
  LlamaConfig config = config_of(ElementType::q4_k, true);
  config.heads = 8, config.head_dim = 32;
  // Superblocks keep scales and minima in a byte each, where files have 6 or 4 bits.
  for (const auto& [type, bits] : {std::pair{ElementType::f16, 16.0},
                                   {ElementType::q8_0, 8.5},
                                   {ElementType::q4_0, 4.5},
                                   {ElementType::q5_1, 6.0},
                                   {ElementType::q4_k, 4.625},
                                   {ElementType::q6_k, 6.5625}}) {
    INFO(type_layout(type).name);
    write_model(folder / "a.gguf", config, type);
    const double bytes = double(packed_weight_bytes(folder / "a.gguf"));
    CHECK(bytes >= double(parameter_count(config)) * bits / 8);
    CHECK(bytes <= double(parameter_count(config)) * bits / 8 * 1.02);
  }
}

TEST_CASE("a packed model is read in the memory that it then takes, though its head is read last") {
  const TemporaryFolder folder;
  LlamaConfig config = config_of(ElementType::f16, false);
  config.vocabulary_size = 100'000;
  run_apart([&] { write_model(folder / "a.gguf", config, ElementType::f16); });  // whose memory is not this process's
  const double weights = double(packed_weight_bytes(folder / "a.gguf")) / (1 << 20);  // 24.6; the head is half of it
  const Apart read = run_apart([&] { open_packed_model(folder / "a.gguf"); });
  UNSCOPED_INFO("weights " << weights << ", read in " << read.megabytes);
  // Measured: 6.4 more: 4 MiB of the file at a time, and pages of the program. With the whole head it would be 14.6.
  CHECK(fault_of(read, weights + 9) == "");
}

namespace {

/// Rows that do not begin a group, some of the columns, and of the second layer nothing.
KeptPart some_of(const LlamaConfig&, const std::string& name, const Shape<2>& shape) {
  if (name.starts_with("model.layers.1.")) return {{0, 0}, {0, shape[1]}};
  const bool by_columns = name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight");
  if (by_columns) return {{0, shape[0]}, {shape[1] / 3, shape[1] / 2}};
  return {{shape[0] / 3, shape[0] * 2 / 3}, {0, shape[1]}};
}

std::vector<real> row_of(const Weight& weight, size_t row) {
  std::vector<real> numbers(weight.shape(1));
  const View<real, 1> to(numbers.data(), {numbers.size()});
  if (weight.is_packed())
    unpack_row(weight, row, to);
  else
    noalias(to) = weight.numbers()[row];
  return numbers;
}

void check_parts(const PackedModel& part, const PackedModel& whole) {
  const LlamaConfig& config = whole.config.llama;
  CHECK(part.config.llama == config);
  CHECK(part.types == whole.types);
  std::map<std::string, Weight> parts;
  for_each_parameter(config, part.weights.tensors, [&](const std::string& name, auto shape, const auto& tensor) {
    if constexpr (shape.size() == 2) parts[name] = tensor;
  });
  for_each_parameter(config, whole.weights.tensors, [&](const std::string& name, auto shape, const auto& tensor) {
    if constexpr (shape.size() == 2) {
      CAPTURE(name);
      const KeptPart kept = some_of(config, name, shape);
      const Weight& is = parts[name];
      if (kept.rows.empty()) {
        CHECK(is.shape(0) == 0);
        return;
      }
      REQUIRE((is.shape() == Shape<2>{kept.rows.size(), kept.columns.size()}));
      for (size_t m = 0; m < kept.rows.size(); ++m) {
        const std::vector<real> row = row_of(tensor, kept.rows.begin + m);
        const std::vector<real> expected(row.begin() + std::ptrdiff_t(kept.columns.begin),
                                         row.begin() + std::ptrdiff_t(kept.columns.end));
        CHECK((row_of(is, m) == expected));
      }
    }
  });
}

}  // namespace

TEST_CASE("what is kept of a packed model is that part of the whole, whatever its files") {
  const TemporaryFolder folder;
  for (ElementType type : {ElementType::f32, ElementType::f16, ElementType::q8_0, ElementType::q4_k}) {
    INFO(type_layout(type).name);
    write_model(folder / "a.gguf", config_of(type, type == ElementType::f16), type);
    check_parts(open_packed_model(folder / "a.gguf", {}, some_of), open_packed_model(folder / "a.gguf"));
  }
  const LlamaConfig config = config_of(ElementType::f32, true);
  write_config(folder / "config.json", {config, {}, {}});
  write_weights(folder / "model.safetensors", published_weights(config));
  check_parts(open_packed_model(folder.path(), {}, some_of), open_packed_model(folder.path()));
}

TEST_CASE("a part of a packed model takes its share of the memory, also while it is read") {
  const TemporaryFolder folder;
  LlamaConfig config = config_of(ElementType::f16, false);
  config.vocabulary_size = 100'000;
  run_apart([&] { write_model(folder / "a.gguf", config, ElementType::f16); });
  const double weights = double(packed_weight_bytes(folder / "a.gguf")) / (1 << 20);
  const Apart read = run_apart([&] { open_packed_model(folder / "a.gguf", {}, some_of); });
  UNSCOPED_INFO("weights " << weights << ", read in " << read.megabytes);
  // A third, and 4 MiB of the file at a time, and pages of the program, as of the whole.
  CHECK(fault_of(read, weights / 3 + 9) == "");
}
