// Small files to begin with, one or a few for each reader.
#include <algorithm>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/01-bpe/train.hpp"
#include "chapters/11-pretraining/recipe.hpp"
#include "chapters/12-open-weights/save_gguf.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "chapters/13-quantisation/importance_file.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/npy.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/fuzz/readers.hpp"
#include "tests/lib/sentencepiece_draft.hpp"
#include "tests/lib/torch_draft.hpp"

namespace cria::fuzz {
namespace {

namespace fs = std::filesystem;
using testing::SentencePieceDraft;
using testing::torch::TorchDraft;

/// What `write` writes into a file.
template <class Write>
std::string written(Write write) {
  const fs::path path = fs::temp_directory_path() / fmt::format("cria-seed-{}", ::getpid());
  write(path);
  const std::string bytes = read_file(path);
  fs::remove(path);
  return bytes;
}

LlamaConfig small_config(bool tied) {
  LlamaConfig c;
  c.vocabulary_size = 270, c.dim = 4, c.hidden_dim = 32, c.layers = 1, c.heads = 2, c.kv_heads = 1, c.head_dim = 2;
  c.context = 8, c.tied_embeddings = tied;
  return c;
}

BpeModel small_tokenizer() {
  BpeOptions options;
  options.vocabulary_size = 268;
  options.pattern = SplitPattern::llama3;
  options.special_tokens = {"<s>", "</s>"};
  return train_bpe("once upon a time there was a once upon", options);
}

template <class... Numbers>
std::string numbers(Numbers... number) {
  std::string out;
  (out.append(reinterpret_cast<const char*>(&number), sizeof number), ...);
  return out;
}

}  // namespace

std::vector<std::string> safetensors_seeds() {
  const std::vector<real> values = {1, 2, 3, 4, 5, 6};
  return {written([&](const fs::path& path) {
    write_safetensors(path, std::vector<TensorToWrite>{{"a", {2, 3}, values}, {"b", {}, std::span(values).first(1)}});
  })};
}

std::vector<std::string> gguf_seeds() {
  std::vector<std::string> seeds;
  for (const ElementType type : {ElementType::f32, ElementType::q8_0, ElementType::q4_0})
    seeds.push_back(written([&](const fs::path& path) {
      const LlamaConfig config = small_config(type != ElementType::f32);
      const Model model{{config, 256, {257}}, LlamaParameters(config), std::make_unique<Tokenizer>(small_tokenizer())};
      save_gguf(path, model, types_to_write(model, ModelForm::gguf, type));
    }));
  return seeds;
}

std::vector<std::string> torch_seeds() {
  TorchDraft embedding{.name = "tok_embeddings.weight"};
  return {TorchDraft().bytes(), embedding.bytes(), TorchDraft{.shape = {3, 2}, .strides = {1, 3}}.bytes()};
}

std::vector<std::string> sentencepiece_seeds() {
  return {SentencePieceDraft().model(), SentencePieceDraft{.bytes = false}.model()};
}

std::vector<std::string> llama2c_tokenizer_seeds() { return {SentencePieceDraft().llama2c()}; }

std::vector<std::string> tokenizer_json_seeds() {
  BpeModel characters = characters_model("ab c", {});
  return {tokenizer_json(small_tokenizer()), tokenizer_json(characters)};
}

std::vector<std::string> tiktoken_seeds() { return {"YQ== 0\nYg== 1\nYWI= 2\nYWJh 3\n"}; }

std::vector<std::string> config_seeds() {
  ModelConfig config{small_config(false), 1, {2, 3}};
  config.llama.rope_scaling = {.kind = RopeScaling::Kind::llama3, .factor = 8};
  const std::string plain = written([&](const fs::path& path) { write_config(path, config); });
  const auto quantised = [&](const std::string& settings) {
    return R"({"quantization_config": )" + settings + "," + plain.substr(1);
  };
  return {plain,
          quantised(R"({"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": true, "sym": false,
                        "checkpoint_format": "gptq_v2", "modules_to_not_convert": ["lm_head"]})"),
          quantised(R"({"quant_method": "awq", "bits": 4, "group_size": -1, "zero_point": true, "version": "gemm"})"),
          quantised(R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "ignore": ["lm_head"],
                        "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 4, "type": "int",
                        "symmetric": true, "strategy": "group", "group_size": 64, "actorder": null}}}})"),
          R"({"do_sample": true, "temperature": 0.6, "top_p": 0.9, "top_k": 50, "eos_token_id": [1, 2]})",
          R"({"metadata": {"total_size": 8}, "weight_map": {"model.norm.weight": "a.safetensors"}})"};
}

std::vector<std::string> npy_seeds() {
  std::vector<std::string> seeds;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  seeds.push_back(written([&](const fs::path& path) { write_npy(path, View<const float, 2>(values.data(), {2, 3})); }));
  seeds.push_back(seeds[0]);
  seeds[1].replace(seeds[1].find("False"), 5, "True ");
  return seeds;
}

std::vector<std::string> llama2c_seeds() {
  const LlamaConfig c = small_config(true);
  const auto whole = [](size_t size) { return std::int32_t(size); };
  const std::string header = numbers(whole(c.dim), whole(c.hidden_dim), whole(c.layers), whole(c.heads),
                                     whole(c.kv_heads), whole(c.vocabulary_size), whole(c.context));
  const auto zeros = [](size_t count) { return std::string(count * sizeof(float), '\0'); };
  std::string version_1 = numbers(std::uint32_t{0x616b3432}, std::uint32_t{1}) + header + '\1';
  version_1.resize(256);
  return {header + zeros(parameter_count(c) + c.context * c.head_dim), version_1 + zeros(parameter_count(c))};
}

std::vector<std::string> template_seeds() {
  std::vector<std::string> seeds;
  for (const auto& entry : fs::directory_iterator(CRIA_CHAT_TEMPLATES)) seeds.push_back(read_file(entry.path()));
  std::ranges::sort(seeds);
  return seeds;
}

std::vector<std::string> recipe_seeds() { return {recipe_text(Recipe()), "model:\n  layers: 2\nbatch: 4\n"}; }

std::vector<std::string> grammar_seeds() {
  return {read_file(data_folder() / "stories" / "stories.grammar"),
          "thread hero name animal\n  Mia | cat\n  2 Ben | dog\n\nsentence intro\n  [place] lived {hero.name}.\n\n"
          "rule place\n  in (a|the) house\n\nrule story\n  intro\n",
          "include stories.grammar\nrule story\n  [s] {end.told}\nlist hero: name\n  Mia | Tom\nlist end: name | told\n"
          "  sad | [t] [t]\n  open | ()\nsentence s\n  {hero.name} ran.\nsentence t\n  Oh!\nrequest\n  Tell of {}.\n"
          "slot who: {hero.name}\n  a {} | one {}\nslot end: {end.name}\n  a {} end\nslot length: number of sentences\n"
          "  {} sentences\n"};
}

std::vector<std::string> importance_seeds() {
  Importance importance;
  importance.inputs["blk.0.attn_q.weight"] = {{1, 2, 3}, 4};
  importance.texts = {"text"};
  const std::string old_form = numbers(1, 1) + "a" + numbers(1, 2, 0.5f, 1.0f, 1, 4) + "text";
  return {written([&](const fs::path& path) { write_importance(path, importance); }), old_form};
}

}  // namespace cria::fuzz
