// Chapter 11, recipes.
#include "chapters/11-pretraining/recipe.hpp"

#include <fmt/format.h>

#include <fstream>

#include "lib/base/file.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

Recipe parse(const std::string& text) { return parse_recipe(text, "my.yaml"); }

void check_refused(const std::string& text, const std::string& message) {
  CAPTURE(text);
  CHECK_THROWS_AS(parse(text), UserError);
  CHECK_THROWS_WITH(parse(text), message);
}

}  // namespace

TEST_CASE("an empty recipe is the defaults, and the defaults are one that can be trained") {
  CHECK(recipe_text(parse("")) == recipe_text(Recipe()));
  CHECK(recipe_text(parse("model:\noptimiser:\n")) == recipe_text(Recipe()));
  CHECK_NOTHROW(parse(recipe_text(Recipe())));
}

TEST_CASE("the recipe with grouped heads is the stories' own but for its heads") {
  Recipe grouped = read_recipe(data_folder() / "stories" / "grouped.yaml");
  const Recipe own = read_recipe(data_folder() / "stories" / "recipe.yaml");
  CHECK(grouped.model.kv_heads < grouped.model.heads);
  CHECK(grouped.model.kv_heads > 1);
  grouped.model.heads = own.model.heads, grouped.model.kv_heads = own.model.kv_heads;
  CHECK(recipe_text(grouped) == recipe_text(own));
}

TEST_CASE("every key is read back from what recipe_text wrote") {
  // Every line of the text in turn gets another value, which must be there after reading and writing, alone.
  const std::string defaults = recipe_text(Recipe());
  size_t keys = 0;
  std::string section;
  for (size_t begin = 0; begin < defaults.size();) {
    const size_t end = defaults.find('\n', begin);
    const std::string line = defaults.substr(begin, end - begin);
    if (line.starts_with("  ")) {
      ++keys;
      const std::string name = line.substr(0, line.find(':'));
      const std::string value = line.substr(name.size() + 2);
      // Twice a whole number is as valid as the number itself, as is half of any other one.
      const bool whole = value.find_first_not_of("0123456789") == std::string::npos;
      const bool number = value.find_first_not_of("0123456789.e-") == std::string::npos;
      const std::string other = value == "true"       ? "false"
                                : value == "false"    ? "true"
                                : whole               ? std::to_string(2 * std::stoul(value))
                                : number              ? fmt::format("{}", std::stod(value) / 2)
                                : name == "  pattern" ? "gpt2"
                                : value == "none"     ? "linear"
                                                      : "other";
      const std::string wanted = fmt::format("{}: {}", name, other);
      // Twice the key/value heads still divide the heads when these are doubled as well.
      // And a factor is for some scaling only.
      const std::string needed = name == "  kv_heads"      ? "  heads: 8\n"
                                 : name == "  rope_factor" ? "  rope_scaling: linear\n"
                                                           : "";
      const std::string text = recipe_text(parse(fmt::format("{}{}{}\n", section, needed, wanted)));
      CAPTURE(section, line, wanted);
      CHECK(text.find(fmt::format("\n{}\n", wanted)) != std::string::npos);
      std::string expected = defaults;
      expected.replace(begin, end - begin, wanted);
      if (!needed.empty()) {
        const size_t at = expected.find(needed.substr(0, needed.find(':')));
        expected.replace(at, expected.find('\n', at) + 1 - at, needed);
      }
      CHECK(text == expected);
      CHECK(recipe_text(parse(text)) == text);
    } else {
      section = fmt::format("{}\n", line);
    }
    begin = end + 1;
  }
  CHECK(keys == 34);
}

TEST_CASE("numbers and words survive exactly") {
  Recipe recipe;
  recipe.learning_rate = 1.0 / 3;
  recipe.training.adamw.eps = 1e-300;
  recipe.separator = "\n\n# \"quoted\" \t: [x]";
  const Recipe read = parse(recipe_text(recipe));
  CHECK(read.learning_rate == recipe.learning_rate);
  CHECK(read.training.adamw.eps == recipe.training.adamw.eps);
  CHECK(read.separator == recipe.separator);
}

TEST_CASE("a model's context is the length of the windows that it is trained on") {
  CHECK(parse("data:\n  context: 48\n").model.context == 48);
}

TEST_CASE("an unknown key is refused with file, line and the nearest known one") {
  check_refused("model:\n  dim: 64\n  head: 4\n",
                "my.yaml:3: unknown key model.head; the nearest known one is model.heads");
  check_refused("optimizer:\n  warmup: 0.1\n",
                "my.yaml:2: unknown key optimizer.warmup; the nearest known one is optimiser.warmup");
  check_refused("model:\n  learning_rate: 1\n",  // right, but elsewhere
                "my.yaml:2: unknown key model.learning_rate; the nearest known one is optimiser.learning_rate");
  check_refused("\"lerning\\nrate\": 1\n",  // in one line, whatever the key is
                "my.yaml:1: unknown key lerning\\nrate; the nearest known one is optimiser.learning_rate");
  check_refused("lerning_rate: 1\n",
                "my.yaml:1: unknown key lerning_rate; the nearest known one is optimiser.learning_rate");
}

TEST_CASE("values of the wrong type are refused with file and line") {
  check_refused("data:\n  batch: many\n",
                "my.yaml:2: data.batch is many, expected a whole number, 0 or more, in plain decimal");
  check_refused("data:\n  batch: -1\n",
                "my.yaml:2: data.batch is -1, expected a whole number, 0 or more, in plain decimal");
  check_refused("data:\n  batch: 1.5\n",
                "my.yaml:2: data.batch is 1.5, expected a whole number, 0 or more, in plain decimal");
  check_refused("data:\n  batch: [1, 2]\n",
                "my.yaml:2: data.batch is no single value, expected a whole number, 0 or more, in plain decimal");
  check_refused("data:\n  batch: 99999999999999999999\n",
                "my.yaml:2: data.batch is 99999999999999999999, expected a whole number, 0 or more, in plain decimal");
  check_refused("optimiser:\n  warmup: short\n",
                "my.yaml:2: optimiser.warmup is short, expected a number in plain decimal");
  check_refused("optimiser:\n  clip_norm: .nan\n",
                "my.yaml:2: optimiser.clip_norm is .nan, expected a number in plain decimal");
  check_refused("model:\n  tied_embeddings: 3\n", "my.yaml:2: model.tied_embeddings is 3, expected true or false");
  check_refused("model: 3\n", "my.yaml:1: section model must hold keys with values");
  check_refused("- model\n", "my.yaml:1: expected the sections model, tokenizer, optimiser and data");
  CHECK_THROWS_WITH(parse("model: {dim: 3\n"), contains("my.yaml:") && contains("this is not YAML"));
}

TEST_CASE("values that make no sense are refused with what was expected") {
  check_refused("model:\n  layers: 0\n", "my.yaml: model.layers is 0, expected at least 1");
  check_refused("model:\n  heads: 0\n", "my.yaml: model.heads is 0, expected at least 1");
  check_refused("model:\n  kv_heads: 3\n",
                "my.yaml: model.heads is 4 and model.kv_heads is 3: the second must divide the first");
  check_refused("model:\n  head_dim: 7\n", "my.yaml: model.head_dim is 7, expected an even number: RoPE turns pairs");
  check_refused("data:\n  lanes: 0\n", "my.yaml: data.batch, data.micro_batch and data.lanes must be at least 1");
  check_refused("data:\n  context: 0\n", "my.yaml: data.context is 0, expected at least 1");
  check_refused("model:\n  norm_eps: -1\n", "my.yaml: model.norm_eps is -1, expected 0 or more");
  check_refused("model:\n  rope_theta: 0\n", "my.yaml: model.rope_theta is 0, expected more than 0");
  check_refused("data:\n  validation: 1\n",
                "my.yaml: data.validation is a share of the file: 0 or more, and less than 1");
  check_refused("data:\n  separator: \"\"\n", "my.yaml: data.separator must not be empty");
  check_refused("tokenizer:\n  pattern: gpt3\n",
                "my.yaml: tokenizer.pattern: there is no split pattern \"gpt3\": expected llama3, gpt2, none, smollm, "
                "qwen2, cl100k or llama-cpp");
  check_refused("optimiser:\n  learning_rate: 0\n", "my.yaml: optimiser.learning_rate must be more than 0");
  check_refused("optimiser:\n  warmup: 1\n",
                "my.yaml: optimiser.warmup is a share of the run: 0 or more, and less than 1");
  check_refused("optimiser:\n  final_learning_rate: 2\n",
                "my.yaml: optimiser.final_learning_rate is a share of the highest: 0 to 1");
  check_refused("optimiser:\n  beta2: 1\n", "my.yaml: optimiser.beta1 and beta2 must be 0 or more, and less than 1");
  check_refused("optimiser:\n  weight_decay: -0.1\n", "my.yaml: optimiser.weight_decay must be 0 or more");
}

TEST_CASE("numbers whose products might overflow are refused") {
  const std::string least = "18446744073709551615";
  for (const char* key : {"dim", "hidden_dim", "layers", "heads", "head_dim"}) {
    CAPTURE(key);
    CHECK_THROWS_WITH(parse(fmt::format("model: {{{}: {}, kv_heads: 1}}\n", key, least)),
                      contains("is " + least + ", expected at most"));
  }
  CHECK_THROWS_WITH(parse("model: {heads: 1048576, kv_heads: 1}\n"),
                    contains("model.heads times model.head_dim is 33554432, expected at most 1048576"));
  CHECK_THROWS_WITH(parse("data: {context: 16777217}\n"),
                    contains("data.context is 16777217, expected at most 16777216"));
  for (const char* key : {"batch", "lanes"})
    check_refused(fmt::format("data: {{{}: {}}}\n", key, least),
                  "my.yaml: data.batch must be at most 1048576, and data.lanes at most 1024");
  for (const char* key : {"4611686018427387904, context: 64", "65537, context: 256"})
    check_refused(fmt::format("data: {{micro_batch: {}}}\n", key),
                  "my.yaml: data.micro_batch times data.context must be at most 16777216");
  CHECK_NOTHROW(parse("data: {micro_batch: 65536, context: 256}\n"));
}

TEST_CASE("RoPE's scaling is read, and one without effect or sense is refused") {
  const RopeScaling scaling =
      parse("model: {rope_scaling: llama3, rope_factor: 32, rope_low_turns: 2, rope_original_context: 1024}\n")
          .model.rope_scaling;
  CHECK(scaling == RopeScaling{RopeScaling::Kind::llama3, 32, 2, 4, 1024});
  check_refused("model:\n  rope_scaling: yarn\n",
                "my.yaml:2: model.rope_scaling is yarn, expected none, linear or llama3");
  check_refused("model: {rope_factor: 8}\n",
                "my.yaml: model.rope_factor has no effect, as model.rope_scaling is none; expected linear or llama3");
  check_refused("model: {rope_scaling: linear, rope_factor: 0}\n",
                "my.yaml: model.rope_factor is 0, expected more than 0");
  CHECK_THROWS_WITH(parse("model: {rope_scaling: llama3, rope_low_turns: 4}\n"),
                    contains("model.rope_low_turns is 4 and model.rope_high_turns 4: expected 0 < low < high"));
}

TEST_CASE("a model's vocabulary is the tokenizer's, of at least one token") {
  CHECK(parse("tokenizer: {vocabulary: 300}\n").model.vocabulary_size == 300);
  check_refused("tokenizer: {vocabulary: 0}\n", "my.yaml: tokenizer.vocabulary is 0, expected at least 1");
}

TEST_CASE("a key or a section that is there twice is refused") {
  check_refused("model:\n  dim: 32\n  dim: 64\n", "my.yaml:3: model.dim is there twice");
  check_refused("model: {dim: 32}\nmodel: {layers: 3}\n", "my.yaml:2: model is there twice");
}

TEST_CASE("a second YAML document is refused, as it would have no effect") {
  check_refused("data:\n  batch: 4\n---\ndata:\n  batch: 8\n", "my.yaml:3: a second document begins, expected one");
}

TEST_CASE("a number that YAML reads in another base than ten is refused") {
  for (const char* number : {"0100", "0x40", "0o100", "1_000", "+64", "64.", "1:30", "00"})
    check_refused(
        fmt::format("model:\n  dim: {}\n", number),
        fmt::format("my.yaml:2: model.dim is {}, expected a whole number, 0 or more, in plain decimal", number));
  for (const char* number : {"010", "0x1p3", "+1", ".inf", "1e999"})
    check_refused(fmt::format("optimiser:\n  clip_norm: {}\n", number),
                  fmt::format("my.yaml:2: optimiser.clip_norm is {}, expected a number in plain decimal", number));
  CHECK(parse("optimiser:\n  clip_norm: 0.5\n  warmup: 0\n").training.clip_norm == 0.5);
}

TEST_CASE("a short text does not become an endless recipe") {
  for (const char* text : {",", ",,", "]", "}", "a: b\n, c\n", "--- --- ---", "- ,\n,", "&a [*a, *a]"})
    CHECK_THROWS_AS(parse(text), UserError);
  CHECK_THROWS_WITH(parse(std::string(20, '[') + std::string(20, ']')), contains("my.yaml:1: nested too deeply"));
  CHECK_THROWS_AS(parse(std::string(30000, '[')), UserError);
  CHECK_THROWS_AS(parse(std::string(30000, '{')), UserError);
  CHECK_THROWS_WITH(parse("model: &m {dim: 8}\ndata: *m\n"), contains("my.yaml:2: an alias, expected a value"));
  std::string many = "model:\n";
  for (int i = 0; i < 2000; ++i) many += "  dim: 8\n";
  CHECK_THROWS_WITH(parse(many), contains("more than 1000 keys and values"));
  const TemporaryFolder folder;
  std::ofstream(folder / "long.yaml") << std::string(1 << 20, '#');
  CHECK_THROWS_WITH(read_recipe(folder / "long.yaml"), contains("is too long: expected at most 65536 bytes"));
}

TEST_CASE("a recipe that is not UTF-8 is refused, as no checkpoint could hold it") {
  check_refused("data:\n  separator: \"\xff\"\n", "my.yaml: this is not UTF-8, expected YAML");
}

TEST_CASE("a recipe's errors name the file that it was read from") {
  const TemporaryFolder folder;
  std::ofstream(folder / "tiny.yaml") << "data:\n  bach: 4\n";
  CHECK_THROWS_WITH(read_recipe(folder / "tiny.yaml"),
                    contains("tiny.yaml:2: unknown key data.bach; the nearest known one is data.batch"));
  CHECK_THROWS_WITH(read_recipe(folder / "none.yaml"), contains("none.yaml: No such file or directory"));
}

TEST_CASE("docs/recipes.md holds the table that the code gives") {
  const std::string page = read_file(CRIA_RECIPES_PAGE);
  INFO("put the output of `./cria train --list-recipe` into docs/recipes.md");
  CHECK(page.find(recipe_documentation()) != std::string::npos);
}
