// generation_config.json: how a model is sampled where the user does not say.
#include <fstream>

#include "chapters/11-pretraining/generation_config.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

GenerationConfig read(const std::string& text) {
  const TemporaryFolder folder;
  std::ofstream(folder / "generation_config.json") << text;
  return read_generation_config(folder.path(), 258);
}

}  // namespace

TEST_CASE("sampling options and end tokens come from generation_config.json") {
  const GenerationConfig config =
      read(R"({"temperature": 0.6, "top_p": 0.9, "top_k": 50, "min_p": 0.05, "do_sample": true,
    "repetition_penalty": 1.1, "eos_token_id": [2, 58], "bos_token_id": 1, "pad_token_id": 2, "max_length": 4096,
    "num_beams": 1, "_from_model_config": true, "transformers_version": "4.44.0"})");
  CHECK(config.sampling.temperature == 0.6);
  CHECK(config.sampling.top_p == 0.9);
  CHECK(config.sampling.top_k == 50);
  CHECK(config.sampling.min_p == 0.05);
  CHECK(config.sampling.repetition_penalty == 1.1);
  CHECK(config.end_of_text == std::vector<TokenId>{2, 58});
  CHECK(config.with_ends({1, 2}) == std::vector<TokenId>{1, 2, 2, 58});
}

TEST_CASE("what generation_config.json leaves out, or a folder without one, is cria's default") {
  const TemporaryFolder folder;
  for (const GenerationConfig& config : {read("{}"), read_generation_config(folder.path(), 258)}) {
    CHECK(config.sampling.temperature == 1);
    CHECK(config.sampling.top_p == 1);
    CHECK(config.sampling.top_k == 0);
    CHECK(config.end_of_text.empty());
  }
  CHECK(read(R"({"do_sample": false, "temperature": 0.6})").sampling.temperature == 0);
  CHECK(read(R"({"eos_token_id": 7})").end_of_text == std::vector<TokenId>{7});
}

TEST_CASE("what generation_config.json asks for and is not done is refused by name") {
  const auto [text, message] = GENERATE(table<const char*, const char*>({
      {R"({"num_beams": 4})", "num_beams is 4, expected 1: beams are not supported"},
      {R"({"no_repeat_ngram_size": 3})", "no_repeat_ngram_size is 3, expected 0"},
      {R"({"suppress_tokens": [3]})", "suppress_tokens is [3], a key that cria does not know"},
      {R"({"temperature": -1})", "temperature is -1, expected 0 (greedy) or more"},
      {R"({"temperature": "hot"})", "temperature is \"hot\", expected a number"},
      {R"({"top_p": 0})", "top-p is 0, expected more than 0 and at most 1"},
      {R"({"top_k": -1})", "top_k is -1, expected a whole number"},
      {R"({"eos_token_id": 258})", "eos_token_id is 258, expected a token id below vocab_size, which is 258"},
      {R"([])", "this is not a JSON object"},
  }));
  CHECK_THROWS_AS(read(text), UserError);
  CHECK_THROWS_WITH(read(text), contains("generation_config.json: ") && contains(message));
}
