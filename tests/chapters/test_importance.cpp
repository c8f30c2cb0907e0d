// What matrices read: against a forward pass that keeps all of it, and as files.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "chapters/12-open-weights/tensor_names.hpp"
#include "chapters/13-quantisation/gptq_model.hpp"
#include "chapters/13-quantisation/importance_file.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/gguf_write.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/chapters/refusal.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr size_t positions = 12;

/// Two full windows with documents in them, and one that ends early.
std::vector<BatchMemory> packed_windows(size_t vocabulary) {
  std::vector<BatchMemory> windows;
  std::int32_t next = 0;
  for (const std::vector<size_t>& lengths : {std::vector<size_t>{5, 7}, {12}, {3, 4}}) {
    windows.emplace_back(1, positions, true).clear();
    for (const size_t length : lengths) {
      Document document;
      for (size_t i = 0; i < length; ++i) {
        document.tokens.push_back(next = std::int32_t((next * 7 + 3) % std::int32_t(vocabulary)));
        document.targets.push_back(1);
      }
      REQUIRE(windows.back().add(document));
    }
  }
  return windows;
}

Importance measured(const LlamaParameters& weights, const std::vector<BatchMemory>& windows, size_t threads = 1) {
  ThreadPool pool(threads);
  return measure_importance(weights, windows, pool);
}

/// Σ x² of the columns of some rows, added to what is there.
void add_squares(View<const real, 2> rows, std::vector<double>& sums) {
  sums.resize(rows.shape(1));
  for (size_t n = 0; n < rows.shape(0); ++n)
    for (size_t k = 0; k < sums.size(); ++k) sums[k] += double(rows(n, k)) * double(rows(n, k));
}

Importance small_importance() {
  Importance importance;
  importance.inputs["blk.0.attn_q.weight"] = {{1, 2, 3}, 4};
  importance.inputs["blk.0.ffn_down.weight"] = {{0, 0.5f}, 4};
  importance.texts = {"a.txt", "b.txt"};
  importance.windows = 2, importance.positions = 512;
  return importance;
}

/// What a file is refused for that has one tensor of the small importance in another form.
struct ImportanceDraft {
  std::string kind = "imatrix", name = "blk.0.attn_q.weight", squares = ".in_sum2", counts = ".counts";
  std::vector<real> sums = {1, 2, 3, 4}, rows = {2};
  std::vector<size_t> shape = {4};
  ElementType type = ElementType::f32;

  void write(const std::filesystem::path& path) const {
    GgufMetadata metadata;
    metadata.add("general.type", kind);
    write_gguf(path, metadata,
               std::vector<TensorToWrite>{{name + squares, shape, sums, type}, {name + counts, {rows.size()}, rows}});
  }
};

/// The older form of the same.
struct OldDraft {
  std::string bytes;
  OldDraft& number(std::int32_t n) { return raw(n); }
  OldDraft& text(const std::string& text) {
    number(std::int32_t(text.size()));
    bytes += text;
    return *this;
  }
  OldDraft& floats(std::initializer_list<float> values) {
    for (const float value : values) raw(value);
    return *this;
  }

 private:
  template <class T>
  OldDraft& raw(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
};
OldDraft old_form() { return OldDraft().number(1).text("blk.0.attn_q.weight").number(2).number(3).floats({1, 2, 3}); }

}  // namespace

TEST_CASE("importance is the mean square of what each matrix reads in a forward pass") {
  const LlamaConfig config = GENERATE(untied(), tied());
  const LlamaParameters weights = random_model(config, 1);
  const std::vector<BatchMemory> windows = packed_windows(config.vocabulary_size);
  std::map<std::string, std::vector<double>> expected;
  size_t rows = 0;
  for (const BatchMemory& window : windows) {
    const Batch batch = window.batch();
    LlamaActivations activations(config, 1, positions, positions, Keep::all_layers);
    llama_forward(weights, {batch.tokens, batch.first_key}, activations);
    const size_t N = rows == 24 ? 7 : positions;  // of the last window, what its documents fill
    rows += N;
    for (size_t i = 0; i < config.layers; ++i) {
      const LayerActivations a = activations.layer(i).first_rows(N);
      for (const char* part : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"})
        add_squares(a.attention_normed, expected[matrix_name(i, part)]);
      add_squares(a.attended, expected[matrix_name(i, "self_attn.o_proj")]);
      for (const char* part : {"mlp.gate_proj", "mlp.up_proj"})
        add_squares(a.feed_forward_normed, expected[matrix_name(i, part)]);
      add_squares(a.gated, expected[matrix_name(i, "mlp.down_proj")]);
    }
    if (!config.tied_embeddings) add_squares(activations.normed.rows(0, N), expected["lm_head.weight"]);
  }
  const Importance importance = measured(weights, windows);
  CHECK(importance.inputs.size() == expected.size());
  CHECK(importance.windows == 3);
  CHECK(importance.positions == positions);
  for (const auto& [name, sums] : expected) {
    INFO(name);
    const InputSquares& squares = importance.inputs.at(parameter_name(name).gguf);
    CHECK(squares.count == 31);
    std::vector<double> means(sums);
    for (double& mean : means) mean /= 31;
    const double largest = *std::ranges::max_element(means);
    CHECK(difference(importance.of(parameter_name(name).gguf), means, 20 * 0x1p-23 * largest) == "");
  }
  CHECK(importance.of("blk.7.attn_q.weight").empty());
  for (const size_t threads : {2, 3}) {
    const Importance again = measured(weights, windows, threads);
    for (const auto& [name, squares] : importance.inputs) CHECK((again.inputs.at(name).sums == squares.sums));
  }
}

TEST_CASE("weights that are damaged have no importance") {
  const LlamaParameters weights = random_model(tied(), 1);
  weights.tensors().layers[1].up(0, 0) = std::numeric_limits<real>::quiet_NaN();
  CHECK_THROWS_WITH(measured(weights, packed_windows(19)), contains("probably damaged"));
}

TEST_CASE("an importance matrix is read as it was written") {
  const TemporaryFolder folder;
  const Importance written = small_importance();
  write_importance(folder / "i.gguf", written);
  const Importance read = read_importance(folder / "i.gguf");
  CHECK(read.texts == written.texts);
  CHECK(read.windows == 2);
  CHECK(read.positions == 512);
  REQUIRE(read.inputs.size() == 2);
  for (const auto& [name, squares] : written.inputs) {
    CHECK(read.inputs.at(name).sums == squares.sums);
    CHECK(read.inputs.at(name).count == squares.count);
  }
  CHECK(read.of("blk.0.attn_q.weight") == std::vector<float>{0.25f, 0.5f, 0.75f});
}

TEST_CASE("an importance matrix has the names and types that llama.cpp reads") {
  const TemporaryFolder folder;
  write_importance(folder / "i.gguf", small_importance());
  const GgufFile file(folder / "i.gguf");
  CHECK(file.find("general.type")->text() == "imatrix");
  CHECK(file.find("imatrix.datasets")->texts()->size() == 2);
  CHECK(file.find("imatrix.chunk_count")->type() == GgufType::u32);
  CHECK(file.find("imatrix.chunk_size")->type() == GgufType::u32);
  CHECK(file.tensors().at("blk.0.ffn_down.weight.in_sum2").shape == std::vector<size_t>{2});
  CHECK(file.tensors().at("blk.0.ffn_down.weight.counts").shape == std::vector<size_t>{1});
  CHECK(file.tensors().at("blk.0.ffn_down.weight.counts").type == ElementType::f32);
}

TEST_CASE("the older form of an importance matrix is read") {
  const TemporaryFolder folder;
  const auto read = [&](const OldDraft& draft) {
    write_file_atomically(folder / "i.dat", draft.bytes);
    return read_importance(folder / "i.dat");
  };
  CHECK(read(old_form()).of("blk.0.attn_q.weight") == std::vector<float>{0.5f, 1, 1.5f});
  const Importance named = read(old_form().number(2).text("wiki.txt"));
  CHECK(named.windows == 2);
  CHECK(named.texts == std::vector<std::string>{"wiki.txt"});
}

TEST_CASE("what is no importance matrix is refused in a line") {
  const TemporaryFolder folder;
  const auto refusal = [&](const auto& draft) {
    return refusal_of(folder, [&](const std::filesystem::path& path) {
      if constexpr (requires { draft.write(path); })
        draft.write(path / "i");
      else
        write_file_atomically(path / "i", draft);
      read_importance(path / "i");
    });
  };
  CHECK(refusal(ImportanceDraft()) == "");
  CHECK(refusal(ImportanceDraft{.shape = {1, 4}}) == "");
  const auto says = [](const std::string& message, const char* part) {
    INFO(message);
    CHECK(message.find(part) != message.npos);
  };
  says(refusal(ImportanceDraft{.kind = "model"}), "its general.type is \"model\", expected imatrix");
  says(refusal(ImportanceDraft{.squares = ".in_sum3"}), "is no part of an importance matrix");
  says(refusal(ImportanceDraft{.counts = "2.counts"}), "\"blk.0.attn_q.weight\" has no .counts");
  says(refusal(ImportanceDraft{.shape = {2, 2}}), "mixtures of experts are not supported");
  says(refusal(ImportanceDraft{.rows = {2, 2}}), "mixtures of experts are not supported");
  says(refusal(ImportanceDraft{.type = ElementType::f16}), "is F16, expected F32");
  says(refusal(ImportanceDraft{.sums = {1, 2, -3, 4}}), "has the sum of squares -3, expected 0 or more");
  says(refusal(ImportanceDraft{.sums = {1, 2, 3, real(NAN)}}), "has the sum of squares nan");
  says(refusal(ImportanceDraft{.rows = {-1}}), "has -1 rows");
  says(refusal(std::string()), "the file ends within the number of matrices");
  says(refusal(std::string("no matrix at all")), "is no importance matrix");
  says(refusal(OldDraft().number(0).bytes), "holds no importance of any matrix");
  const std::string whole = old_form().number(2).text("wiki.txt").bytes;
  for (size_t size = 0; size < whole.size(); ++size)
    if (size != old_form().bytes.size()) says(refusal(whole.substr(0, size)), "the file ends within");
  says(refusal(whole + "x"), "more follows the importance matrix");
  says(refusal(OldDraft().number(1).text("a").number(1).number(-1).bytes), "the number of columns is -1");
  says(refusal(OldDraft().number(1).text("a").number(1).number(0x7fffffff).bytes),
       "the file ends within sums of squares");
  says(refusal(OldDraft().number(2).text("a").number(1).number(0).text("a").number(1).number(0).bytes),
       "is there twice");
  says(refusal(OldDraft().number(1).text("a").number(1).number(1).floats({-1}).bytes), "has the sum of squares -1");
}

TEST_CASE("an importance matrix must be of the model") {
  const LlamaParameters weights = random_model(untied(), 1);  // of width 11
  const auto require_of = [&](const char* name, size_t columns) {
    Importance importance;
    importance.inputs[name] = {std::vector<float>(columns), 1};
    require_importance_of(weights, importance, "i.gguf");
  };
  require_of("blk.1.attn_q.weight", 11);
  CHECK_THROWS_WITH(require_of("blk.1.attn_q.weight", 12), contains("has 12 columns, expected 11"));
  CHECK_THROWS_WITH(require_of("blk.2.attn_q.weight", 11), contains("i.gguf: has no matrix of this model"));
}

namespace {

/// Whose rows are whole blocks, but for those of the down projection.
LlamaConfig in_blocks(bool tied_embeddings) {
  LlamaConfig c;
  c.vocabulary_size = 40, c.dim = 64, c.hidden_dim = 80, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 16;
  c.tied_embeddings = tied_embeddings;
  return c;
}

StoredTypes types_of(const LlamaParameters& weights, ElementType type) {
  StoredTypes types;
  weights.for_each([&](const std::string& name, const auto& view) {
    types[name] = view.shape().size() == 1 ? ElementType::f32 : fitting_type(view.shape().back(), type);
  });
  return types;
}

}  // namespace

TEST_CASE("a whole model is quantised layer by layer, and becomes what its blocks stand for") {
  const bool is_tied = GENERATE(false, true);
  const bool act_order = GENERATE(false, true);
  const LlamaConfig config = in_blocks(is_tied);
  const LlamaParameters weights = random_model(config, 3), exact = random_model(config, 3);
  const StoredTypes types = types_of(weights, ElementType::q4_0);
  const std::vector<BatchMemory> windows = packed_windows(config.vocabulary_size);
  ThreadPool pool(2);
  size_t layers = 0;
  const QuantisedMatrices blocks =
      gptq_model(weights, types, windows, {0.01, act_order}, pool, [&](size_t done) { CHECK(done == ++layers); });
  CHECK(layers == 2);
  CHECK(blocks.size() == 2 * 6 + (is_tied ? 0 : 1));  // not the down projections
  weights.for_each([&]<size_t N>(const std::string& name, View<real, N> view) {
    INFO(name);
    std::vector<real> before;
    exact.for_each([&](const std::string& other, const auto& numbers) {
      if (other == name) before.assign(numbers.span().begin(), numbers.span().end());
    });
    const bool same = std::ranges::equal(before, view.span());
    const auto found = blocks.find(parameter_name(name).gguf);
    CHECK(same == (found == blocks.end()));
    if (same) return;
    CHECK(found->second.size() == *tensor_bytes(view.shape(), types.at(name)));
    // In the file's order of rows, which differs for query and key.
    std::vector<real> stored(view.size());
    convert_elements(types.at(name), reinterpret_cast<const std::byte*>(found->second.data()), std::span(stored));
    CHECK(std::ranges::equal(stored, view.span()) == !parameter_name(name).has_pairs);
    std::vector<real> sorted(view.span().begin(), view.span().end());
    std::ranges::sort(stored), std::ranges::sort(sorted);
    CHECK((stored == sorted));
  });
  const LlamaParameters again = random_model(config, 3);
  ThreadPool alone(1);
  CHECK((gptq_model(again, types, windows, {0.01, act_order}, alone, [](size_t) {}) == blocks));
}
