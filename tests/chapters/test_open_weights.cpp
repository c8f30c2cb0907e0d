// Models that others have published, in every form. The files are written here (published_models.hpp); those of others
// are reference cases (tests/cases).
#include <cmath>
#include <numbers>

#include "chapters/11-pretraining/model_folder.hpp"
#include "chapters/12-open-weights/meta_layout.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/rope_divisors.hpp"
#include "chapters/12-open-weights/save_gguf.hpp"
#include "chapters/12-open-weights/stored_parameters.hpp"
#include "chapters/12-open-weights/tensor_names.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/chapters/published_models.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// A weight of one column whose rows are numbered 0, 1, 2, …
std::vector<real> numbered(size_t rows) {
  std::vector<real> out(rows);
  for (size_t r = 0; r < rows; ++r) out[r] = real(r);
  return out;
}

/// All of it, tensor by tensor, so that a failure says which one.
void check_same(const Model& model, const LlamaParameters& expected) {
  REQUIRE(model.config.llama == expected.config());
  std::vector<std::pair<std::string, View<real, 1>>> tensors;
  expected.for_each([&](const std::string& name, const auto& view) { tensors.emplace_back(name, view.flat()); });
  size_t i = 0;
  model.weights.for_each([&](const std::string& name, const auto& view) {
    INFO(name);
    CHECK(difference(view.flat(), tensors[i++].second, 0) == "");
  });
}

const std::vector<std::int32_t> tokens{3, 1, 4, 15, 9, 2, 6};

}  // namespace

TEST_CASE("rows in pairs: the example of the lesson, worked by hand") {
  LlamaConfig c;
  c.heads = 2, c.kv_heads = 1, c.head_dim = 6, c.dim = 1;
  const auto read = [&](std::vector<real> stored) {
    std::vector<real> weight(stored.size(), std::numeric_limits<real>::quiet_NaN());
    read_interleaved({weight.data(), {stored.size(), 1}}, c,
                     [&](std::span<real> values) { std::ranges::copy(stored, values.begin()); });
    return weight;
  };
  // Two heads of queries, and one of keys.
  CHECK(difference(read(numbered(12)), std::vector<real>{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}, 0) == "");
  CHECK(difference(read(numbered(6)), std::vector<real>{0, 2, 4, 1, 3, 5}, 0) == "");
}

TEST_CASE("parts of a matrix: the example of the lesson, worked by hand") {
  std::vector<real> values = numbered(8);
  const View<real, 2> whole(values.data(), {2, 4});
  CHECK(difference(place_of_part(whole, MetaCut::rows, 0, 2), Array<real, 2>{{0, 1, 2, 3}}, 0) == "");
  CHECK(difference(place_of_part(whole, MetaCut::rows, 1, 2), Array<real, 2>{{4, 5, 6, 7}}, 0) == "");
  CHECK(difference(place_of_part(whole, MetaCut::columns, 0, 2), Array<real, 2>{{0, 1}, {4, 5}}, 0) == "");
  CHECK(difference(place_of_part(whole, MetaCut::columns, 1, 2), Array<real, 2>{{2, 3}, {6, 7}}, 0) == "");
  CHECK(difference(place_of_part(whole, MetaCut::columns, 3, 4), Array<real, 2>{{3}, {7}}, 0) == "");
}

TEST_CASE("the tensors of a layer have these names, cuts and pairs") {
  struct Expected {
    std::string hugging_face, gguf, meta;
    MetaCut cut;
    bool has_pairs;
  };
  const std::vector<Expected> layer{
      {"input_layernorm", "attn_norm", "attention_norm", MetaCut::whole, false},
      {"self_attn.q_proj", "attn_q", "attention.wq", MetaCut::rows, true},
      {"self_attn.k_proj", "attn_k", "attention.wk", MetaCut::rows, true},
      {"self_attn.v_proj", "attn_v", "attention.wv", MetaCut::rows, false},
      {"self_attn.o_proj", "attn_output", "attention.wo", MetaCut::columns, false},
      {"post_attention_layernorm", "ffn_norm", "ffn_norm", MetaCut::whole, false},
      {"mlp.gate_proj", "ffn_gate", "feed_forward.w1", MetaCut::rows, false},
      {"mlp.up_proj", "ffn_up", "feed_forward.w3", MetaCut::rows, false},
      {"mlp.down_proj", "ffn_down", "feed_forward.w2", MetaCut::columns, false},
  };
  CHECK(layer_tensors().size() == layer.size());
  for (const Expected& e : layer) {
    INFO(e.hugging_face);
    const ParameterName name = parameter_name("model.layers.17." + e.hugging_face + ".weight");
    CHECK(name.gguf == "blk.17." + e.gguf + ".weight");
    CHECK(name.meta == "layers.17." + e.meta + ".weight");
    CHECK(int(name.cut) == int(e.cut));
    CHECK(name.has_pairs == e.has_pairs);
  }
  CHECK(parameter_name("model.embed_tokens.weight").gguf == "token_embd.weight");
  CHECK(parameter_name("lm_head.weight").meta == "output.weight");
  for (const char* none : {"model.layers.0.self_attn.q_proj.bias", "model.layers.0.weight", "q_proj.weight", ""})
    CHECK_THROWS_AS(parameter_name(none), ContractError);
}

TEST_CASE("the embedding is cut by columns in Llama 1 and 2, and by rows in Llama 3") {
  const auto cut = [](const char* name, std::vector<size_t> shape, size_t dim) {
    return int(meta_cut(parameter_name(name), shape, dim));
  };
  CHECK(cut("model.embed_tokens.weight", {32000, 1024}, 8192) == int(MetaCut::columns));  // Llama 2 70B, 8 parts
  CHECK(cut("model.embed_tokens.weight", {16032, 8192}, 8192) == int(MetaCut::rows));     // Llama 3 70B, 8 parts
  CHECK(cut("lm_head.weight", {4000, 8192}, 8192) == int(MetaCut::rows));
  CHECK(cut("model.layers.0.self_attn.o_proj.weight", {8192, 1024}, 8192) == int(MetaCut::columns));
  CHECK(cut("model.layers.0.mlp.down_proj.weight", {8192, 8192}, 8192) == int(MetaCut::columns));
  CHECK(cut("model.norm.weight", {8192}, 8192) == int(MetaCut::whole));
}

TEST_CASE("the inner widths of published Llamas follow from their params.json") {
  CHECK(meta_hidden_dim(4096, 1, 256) == 11008);      // LLaMA 7B
  CHECK(meta_hidden_dim(5120, 1, 256) == 13824);      // 13B
  CHECK(meta_hidden_dim(6656, 1, 256) == 17920);      // 33B
  CHECK(meta_hidden_dim(8192, 1, 256) == 22016);      // 65B
  CHECK(meta_hidden_dim(8192, 1.3, 4096) == 28672);   // Llama 2 70B
  CHECK(meta_hidden_dim(4096, 1.3, 1024) == 14336);   // Llama 3 8B
  CHECK(meta_hidden_dim(2048, 1.5, 256) == 8192);     // 3.2 1B
  CHECK(meta_hidden_dim(3072, 1, 256) == 8192);       // 3.2 3B
  CHECK(meta_hidden_dim(16384, 1.2, 4096) == 53248);  // 3.1 405B
  CHECK(meta_hidden_dim(4, 1, 3) == 12);              // 2/3 of 16 is 10.67, rounded down to 10
  CHECK(meta_hidden_dim(3, 1.25, 1) == 10);           // 8 times 1.25
  CHECK(meta_hidden_dim(7, 1.3, 1) == 23);            // 18.67 becomes 18, and 23.4 becomes 23
}

TEST_CASE("the divisors of Llama 3.1's frequencies are those of Meta's own formula") {
  LlamaConfig c;
  c.head_dim = 128, c.rope_theta = 500000;
  CHECK(rope_divisors(c).empty());
  c.rope_scaling = {.kind = RopeScaling::Kind::linear, .factor = 4};
  CHECK(rope_divisors(c).empty());
  c.rope_scaling = {.kind = RopeScaling::Kind::llama3, .factor = 8};
  std::vector<double> expected;
  for (size_t i = 0; i < 64; ++i) {
    const double wavelength = 2 * std::numbers::pi * std::pow(500000, double(i) / 64);
    const double smooth = (8192 / wavelength - 1) / (4 - 1);
    expected.push_back(wavelength < 8192. / 4 ? 1 : wavelength > 8192. / 1 ? 8 : 1 / ((1 - smooth) / 8 + smooth));
  }
  const std::vector<real> divisors = rope_divisors(c);
  CHECK(difference(divisors, expected, 8 * epsilon) == "");  // rounded to a float, and at most 8
  REQUIRE(divisors.size() == 64);
  CHECK(std::ranges::count(divisors, real(1)) == 29);
  CHECK(std::ranges::count(divisors, real(8)) == 29);
  c.rope_scaling = {.kind = RopeScaling::Kind::divisors, .divisors = {1, 2, 4}};
  CHECK(rope_divisors(c) == std::vector<real>{1, 2, 4});
}

TEST_CASE("a Llama is the same in each form") {
  const bool tied = GENERATE(false, true);
  INFO((tied ? "tied" : "untied"));
  const LlamaConfig config = published_config(tied);
  const LlamaParameters weights = published_weights(config);
  const TemporaryFolder folder;
  const Array<real, 2> expected = logits_of(weights, tokens);
  const auto check = [&](const std::string& form, const std::filesystem::path& path) {
    INFO(form);
    const Model model = open_model(path);
    check_same(model, weights);
    CHECK(open_config(path).llama == config);
    CHECK(difference(logits_of(model.weights, tokens), expected, 0) == "");
  };
  const auto subfolder = [&](const char* name) {
    std::filesystem::create_directory(folder / name);
    return folder / name;
  };

  write_config(subfolder("hugging-face") / "config.json", {config, {}, {}});
  write_weights(folder / "hugging-face" / "model.safetensors", weights);
  check("Hugging Face", folder / "hugging-face");
  write_as_gguf(folder / "a.gguf", weights);
  check("GGUF", folder / "a.gguf");
  write_as_gguf(folder / "b.gguf", weights, {}, ElementType::bf16);
  check("GGUF, BF16", folder / "b.gguf");
  write_as_llama2c(folder / "0.bin", weights, 0);
  check("llama2.c, version 0", folder / "0.bin");
  write_as_llama2c(folder / "1.bin", weights, 1);
  check("llama2.c, version 1", folder / "1.bin");
}

TEST_CASE("a Llama is the same in one part of Meta's or several, however the embedding is cut") {
  LlamaConfig config = published_config();
  config.context = 4096;  // params.json does not say it
  const LlamaParameters weights = published_weights(config);
  const size_t parts = GENERATE(1, 2, 4);
  const bool embedding_by_rows = GENERATE(false, true);
  INFO(parts << " parts");
  const TemporaryFolder folder;
  write_as_meta(folder.path(), weights, parts, embedding_by_rows);
  const Model model = open_model(folder.path());
  check_same(model, weights);
  CHECK(difference(logits_of(model.weights, tokens), logits_of(weights, tokens), 0) == "");
}

TEST_CASE("Llama 3.1's scaling of RoPE survives Meta's one word for it, and GGUF's list of divisors") {
  LlamaConfig config = published_config();
  config.rope_theta = 500000, config.context = 131072;
  config.rope_scaling = {.kind = RopeScaling::Kind::llama3, .factor = 8};
  const LlamaParameters weights = published_weights(config);
  const TemporaryFolder folder;
  write_as_meta(folder.path(), weights, 1, true, ", \"use_scaled_rope\": true");
  const Model from_meta = open_model(folder.path());
  check_same(from_meta, weights);
  save_gguf(folder / "a.gguf", from_meta, types_to_write(from_meta, ModelForm::gguf, {}));
  const Model from_gguf = open_model(folder / "a.gguf");
  CHECK(from_gguf.config.llama.rope_scaling.kind == RopeScaling::Kind::divisors);
  // The divisors are floats: angles, and what is computed from them, differ by their rounding.
  CHECK(relative_error(logits_of(from_gguf.weights, tokens), logits_of(weights, tokens)) < 1e-5);
}

TEST_CASE("what a GGUF file does not say has its usual value") {
  LlamaConfig config = published_config(true);
  config.kv_heads = config.heads;
  const LlamaParameters weights = published_weights(config);
  const TemporaryFolder folder;
  write_as_gguf(folder / "a.gguf", weights);
  const GgufFile all(folder / "a.gguf");
  GgufMetadata few;
  for (const auto& [key, value] : all.metadata())
    if (key != "llama.attention.head_count_kv" && key != "llama.rope.freq_base") few.add(key, value);
  std::vector<TensorToWrite> stored;
  const std::vector<PublishedTensor> tensors = published_tensors(weights);
  for (const PublishedTensor& t : tensors) stored.push_back({t.gguf, t.shape, t.values});
  write_gguf(folder / "b.gguf", few, stored);
  check_same(open_model(folder / "b.gguf"), weights);
}
