// How each reader is called: all that a program does with a file before it computes with its numbers.
#include "tests/fuzz/readers.hpp"

#include <fstream>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/11-pretraining/recipe.hpp"
#include "chapters/11-pretraining/stored_weights.hpp"
#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/llama2c_model.hpp"
#include "chapters/12-open-weights/meta_folder.hpp"
#include "chapters/12-open-weights/quantisation_config.hpp"
#include "chapters/13-quantisation/importance_file.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/npy.hpp"
#include "lib/formats/safetensors.hpp"
#include "lib/formats/torch_file.hpp"
#include "lib/grammar/generate.hpp"
#include "lib/grammar/judge_answer.hpp"
#include "lib/grammar/parse.hpp"
#include "lib/grammar/request.hpp"
#include "lib/grammar/statistics.hpp"
#include "lib/jinja/template.hpp"

namespace cria::fuzz {
namespace {

namespace fs = std::filesystem;

/// For parts that come after another part may have been refused.
template <class Body>
void attempt(Body body) {
  try {
    body();
  } catch (const UserError&) {
  }
}

/// Copies out every tensor that can be.
void copy_all(const TensorTable& tensors) {
  for (const StoredTensor& tensor : tensors.all()) {
    size_t count = 1;
    for (const size_t extent : tensor.shape) count *= extent;
    if (!is_floating(tensor.type)) continue;
    std::vector<real> values(count);
    tensors.copy_to(tensor.name, tensor.shape, values);
  }
}

void use(const Tokenizer& tokenizer) {
  for (const SpecialText special : {SpecialText::plain, SpecialText::parse})
    attempt([&] { tokenizer.decode(tokenizer.encode(" Once upon a t\xC3\xAFme, 12345\n\n<s>  ab\xFF", special)); });
  for (size_t id = 0; id < tokenizer.vocabulary_size(); ++id) tokenizer.piece(TokenId(id));
}

void read_safetensors(const fs::path& path) {
  const SafetensorsFile file(path);
  for (const StoredTensor& tensor : file.tensors()) {
    size_t count = 1;
    for (const size_t extent : tensor.shape) count *= extent;
    if (!is_floating(tensor.type)) continue;
    std::vector<real> values(count);
    file.copy_to(tensor.name, tensor.shape, values);
  }
}

void read_gguf(const fs::path& path) {
  const GgufFile file(path);
  for (const auto& [key, value] : file.metadata()) {
    value.whole(), value.number(), value.truth(), value.text();
    value.texts(), value.numbers();
  }
  copy_all(file.tensors());
  attempt([&] {
    if (const auto tokenizer = gguf_tokenizer(file)) use(*tokenizer);
  });
  attempt([&] { load_gguf(path); });
}

void read_torch(const fs::path& path) {
  copy_all(TorchFile(path).tensors());
  load_meta_folder(path.parent_path());
}

void read_config_files(const fs::path& path) {
  const fs::path folder = path.parent_path(), index = folder / "model.safetensors.index.json";
  attempt([&] { read_folder_config(folder); });
  for (const fs::path& other : {folder / "generation_config.json", folder / "quantize_config.json", index}) {
    std::error_code ignored;
    fs::create_hard_link(path, other, ignored);  // the same bytes
  }
  attempt([&] { read_folder_config(folder); });  // now beside an older folder's settings
  attempt([&] { read_generation_config(folder, 100); });
  attempt([&] { StoredWeights weights(folder); });
}

void read_template(const fs::path& path) {
  static const auto variables = nlohmann::ordered_json::parse(
      R"({"messages": [{"role": "system", "content": "a"}, {"role": "user", "content": " b "},
          {"role": "assistant", "content": "c"}], "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": true,
          "tools": [{"name": "f", "parameters": {"x": [1, 2.5, null]}}]})");
  jinja::Template(read_file(path)).render(variables);
}

void read_grammar(const fs::path& path) {
  const Grammar grammar = Grammar::load(path);
  statistics(grammar);
  Random random(1);
  const Story story = generate(grammar, random);
  const Parser parser(grammar);
  attempt([&] { parser.story(story.text); });
  attempt([&] { parser.why_not_sentence("The end."); });
  attempt([&] {
    const RequestedStory drawn = RequestSource(grammar).draw(random, Combinations::trained);
    judge_answer(parser, drawn.request.asked, drawn.story.text);
  });
}

constexpr Reader all[] = {
    {"safetensors", "model.safetensors", read_safetensors, safetensors_seeds},
    {"gguf", "model.gguf", read_gguf, gguf_seeds},
    {"torch", "consolidated.00.pth", read_torch, torch_seeds},
    {"sentencepiece", "tokenizer.model",
     [](const fs::path& path) { use(Tokenizer(sentencepiece_model(read_sentencepiece(path)))); }, sentencepiece_seeds},
    {"llama2c-tokenizer", "tokenizer.bin",
     [](const fs::path& path) { use(Tokenizer(sentencepiece_model(read_llama2c_tokenizer(path)))); },
     llama2c_tokenizer_seeds},
    {"tokenizer-json", "tokenizer.json", [](const fs::path& path) { use(Tokenizer(load_tokenizer_json(path))); },
     tokenizer_json_seeds},
    {"tiktoken", "tokenizer.model", [](const fs::path& path) { use(Tokenizer(load_tiktoken(path, {"<s>"}))); },
     tiktoken_seeds},
    {"config", "config.json", read_config_files, config_seeds},
    {"npy", "array.npy", [](const fs::path& path) { read_npy(path); }, npy_seeds},
    {"llama2c", "model.bin", [](const fs::path& path) { load_llama2c(path); }, llama2c_seeds},
    {"template", "chat_template.jinja", read_template, template_seeds},
    {"recipe", "recipe.yaml", [](const fs::path& path) { read_recipe(path); }, recipe_seeds},
    {"grammar", "stories.grammar", read_grammar, grammar_seeds},
    {"importance", "importance.gguf", [](const fs::path& path) { read_importance(path); }, importance_seeds},
};

}  // namespace

std::span<const Reader> readers() { return all; }

}  // namespace cria::fuzz
