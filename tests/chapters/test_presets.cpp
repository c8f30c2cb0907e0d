// The presets: what was published of each model, to the last parameter.
#include "chapters/11-pretraining/presets.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "chapters/08-llama/parameters.hpp"
#include "chapters/11-pretraining/recipe.hpp"
#include "chapters/12-open-weights/published_training.hpp"
#include "chapters/12-open-weights/save_gguf.hpp"
#include "chapters/12-open-weights/weight_bytes.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "lib/base/file.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

struct Published {
  const char* name;
  size_t parameters, context;
  double theta, eps, factor;  // of RoPE's scaling; 1: none
};

// Parameters: half of total_size in the model.safetensors.index.json (2 bytes each) that the publishers put on Hugging
// Face, or what its page counts. The stories: by hand, as chapter 08 counts stories260K, as their files hold no count.
constexpr Published published[] = {
    {"code-llama-13b", 13016028160, 16384, 1e6, 1e-5, 1},
    {"code-llama-34b", 33743970304, 16384, 1e6, 1e-5, 1},
    {"code-llama-70b", 68976910336, 16384, 1e6, 1e-5, 1},
    {"code-llama-7b", 6738546688, 16384, 1e6, 1e-5, 1},
    {"llama-13b", 13015864320, 2048, 1e4, 1e-6, 1},
    {"llama-2-13b", 13015864320, 4096, 1e4, 1e-5, 1},
    {"llama-2-70b", 68976648192, 4096, 1e4, 1e-5, 1},
    {"llama-2-7b", 6738415616, 4096, 1e4, 1e-5, 1},
    {"llama-3-70b", 70553706496, 8192, 5e5, 1e-5, 1},
    {"llama-3-8b", 8030261248, 8192, 5e5, 1e-5, 1},
    {"llama-3.1-405b", 405853388800, 131072, 5e5, 1e-5, 8},
    {"llama-3.1-70b", 70553706496, 131072, 5e5, 1e-5, 8},
    {"llama-3.1-8b", 8030261248, 131072, 5e5, 1e-5, 8},
    {"llama-3.2-1b", 1235814400, 131072, 5e5, 1e-5, 32},
    {"llama-3.2-3b", 3212749824, 131072, 5e5, 1e-5, 32},
    {"llama-33b", 32528943616, 2048, 1e4, 1e-6, 1},
    {"llama-65b", 65285660672, 2048, 1e4, 1e-5, 1},
    {"llama-7b", 6738415616, 2048, 1e4, 1e-6, 1},
    {"stories110m", 109529856, 1024, 1e4, 1e-5, 1},
    {"stories15m", 15191712, 256, 1e4, 1e-5, 1},
    {"stories260k", 260032, 512, 1e4, 1e-5, 1},
    {"stories42m", 41689600, 1024, 1e4, 1e-5, 1},
};

LlamaConfig preset(const std::string& name) { return read_recipe(recipe_file(name)).model; }

}  // namespace

TEST_CASE("every preset is one of the published models, and has its parameters to the last one") {
  std::vector<std::string> names;
  for (const Published& p : published) names.push_back(p.name);
  CHECK(preset_names() == names);
  for (const Published& p : published) {
    CAPTURE(p.name);
    const LlamaConfig config = preset(p.name);
    CHECK(parameter_count(config) == p.parameters);
    CHECK(config.context == p.context);
    CHECK(config.rope_theta == p.theta);
    CHECK(config.norm_eps == p.eps);
    CHECK(config.rope_scaling.factor == p.factor);
    CHECK((config.rope_scaling.kind == RopeScaling::Kind::llama3) == (p.factor != 1));
    CHECK(config.heads * config.head_dim == config.dim);
  }
}

TEST_CASE("the vocabularies of Code Llama have tokens for filling in where the size was trained to") {
  for (const char* size : {"7b", "13b", "70b"})
    CHECK(preset(fmt::format("code-llama-{}", size)).vocabulary_size == 32016);
  CHECK(preset("code-llama-34b").vocabulary_size == 32000);
}

TEST_CASE("a preset is a recipe: it is read back as it is written, and a key that none has is refused") {
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    const std::string text = read_file(recipe_file(name));
    const Recipe recipe = parse_recipe(text, name);
    CHECK(parse_recipe(recipe_text(recipe), name).model == recipe.model);
    CHECK_THROWS_WITH(parse_recipe(text + "architecture: {experts: 8}\n", name), contains("unknown key"));
  }
}

TEST_CASE("a recipe is found by its path or by its preset's name") {
  const TemporaryFolder folder;
  std::ofstream(folder / "my.yaml") << "data: {batch: 4}\n";
  CHECK(recipe_file((folder / "my.yaml").string()) == folder / "my.yaml");
  CHECK(recipe_file("llama-7b").filename() == "llama-7b.yaml");
  CHECK_THROWS_WITH(recipe_file("lama2-7b"),
                    "\"lama2-7b\" is neither a file nor a preset; the nearest preset is llama-2-7b");
  CHECK_THROWS_WITH(read_recipe(recipe_file("none.yaml")), contains("none.yaml: No such file or directory"));
}

TEST_CASE("what is published of a training run belongs to a preset, and agrees with 6 N D where both are known") {
  size_t known = 0;
  for (const std::string& name : preset_names()) {
    const PublishedTraining* run = published_training(name);
    CHECK((run == nullptr) == name.starts_with("stories"));
    if (!run) continue;
    ++known;
    CAPTURE(name);
    const LlamaConfig config = preset(name);
    const double arithmetic = run->tokens * training_operations_per_token(config, size_t(run->positions));
    const double six_n_d = 6 * double(parameter_count(config)) * run->tokens;
    // Attention adds to it, and a head that is no embedding is left out.
    CHECK(arithmetic > 0.95 * six_n_d);
    CHECK(arithmetic < 1.25 * six_n_d);
    if (run->operations > 0) CHECK(std::abs(run->operations / six_n_d - 1) < 0.001);  // measured: 0.0003
    if (run->gpu_hours > 0) CHECK(run->gpu_hours * 3600 * peak_of(run->gpu) > arithmetic);
  }
  CHECK(known == 18);
  double hours = 1038336;  // of the 34B, which was not released
  for (const char* name : {"llama-2-7b", "llama-2-13b", "llama-2-70b"}) hours += published_training(name)->gpu_hours;
  CHECK(hours == 3311616);  // the sum in table 2 of Llama 2's paper
}

TEST_CASE(
    "bytes of weights, by hand and of a file: blocks of 32 with their scales, norms in F32, rows that do not fit in "
    "F16") {
  LlamaConfig c;
  c.vocabulary_size = 10, c.dim = 64, c.hidden_dim = 40, c.layers = 1, c.heads = 2, c.kv_heads = 1, c.head_dim = 32;
  c.tied_embeddings = false;
  // Rows of 64 numbers: 10 + 10 of embedding and head, 64 + 32 + 32 + 64 of attention, 40 + 40 of gate and up.
  const size_t rows = 10 + 10 + 64 + 32 + 32 + 64 + 40 + 40, down = 64 * 40, norms = 3 * 64;
  CHECK(weight_bytes(c, ElementType::f32) == 4 * (64 * rows + down + norms));
  CHECK(weight_bytes(c, ElementType::bf16) == 2 * (64 * rows + down) + 4 * norms);
  CHECK(weight_bytes(c, ElementType::q8_0) == 2 * 34 * rows + 2 * down + 4 * norms);
  CHECK(weight_bytes(c, ElementType::q4_0) == 2 * 18 * rows + 2 * down + 4 * norms);
  CHECK(weight_bytes_read(c, ElementType::q4_0) == weight_bytes(c, ElementType::q4_0) - 2 * 18 * 10);
  for (const ElementType type : {ElementType::f32, ElementType::bf16, ElementType::q8_0, ElementType::q4_0}) {
    const TemporaryFolder folder;
    const Model model{{c, {}, {}}, LlamaParameters(c), nullptr};
    save_gguf(folder / "a.gguf", model, types_to_write(model, ModelForm::gguf, type));
    size_t bytes = 0;
    const GgufFile file(folder / "a.gguf");
    for (const StoredTensor& tensor : file.tensors().all()) bytes += tensor.bytes.size();
    CHECK(bytes == weight_bytes(c, type));
  }
  c.tied_embeddings = true;
  CHECK(weight_bytes_read(c, ElementType::q4_0) == weight_bytes(c, ElementType::q4_0));
}
