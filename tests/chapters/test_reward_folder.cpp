// Chapter 16, a reward model's folder: what it holds, what others write, and what is refused.
#include "chapters/16-reward-model/reward_folder.hpp"

#include "lib/base/file.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/chapters/saved_model.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

struct SavedReward {
  TemporaryFolder folder;
  ValueModel model;

  explicit SavedReward(real bias = real(0.5)) : model(saved_config()) {
    Random random(1);
    // Numbers that a float holds, in both builds: a model's file is of floats.
    for (real& value : model.flat()) value = real(float(random.normal()));
    model.bias() = bias;
    save_reward_model(folder.path(), {saved_config(), 256, {257}}, model, Tokenizer(bytes_model()));
  }

  nlohmann::json json() const { return nlohmann::json::parse(read_file(folder / "config.json")); }
  void edit(const std::string& key, const nlohmann::json& value) const {
    nlohmann::json config = json();
    value.is_discarded() ? void(config.erase(key)) : void(config[key] = value);
    write_file_atomically(folder / "config.json", config.dump());
  }
  std::string error() const {
    return refusal_of(folder, [](const auto& path) { load_reward_model(path); });
  }
};

}  // namespace

TEST_CASE("a reward model comes back from its folder, bit for bit") {
  for (const real bias : {real(0.5), real(0)}) {
    const SavedReward saved(bias);
    const RewardModel loaded = load_reward_model(saved.folder.path());
    CHECK(difference(loaded.model.flat(), saved.model.flat(), 0) == "");
    CHECK(loaded.config.begin_of_text == 256);
    CHECK(loaded.config.end_of_text == std::vector<TokenId>{257});
    REQUIRE(loaded.tokenizer);
    CHECK(loaded.tokenizer->vocabulary_size() == 258);
  }
}

TEST_CASE("a reward model's folder is LlamaForSequenceClassification with one label") {
  const SavedReward saved(0), biased;
  const nlohmann::json config = saved.json();
  CHECK(config["architectures"] == nlohmann::json::array({"LlamaForSequenceClassification"}));
  CHECK(config["id2label"].size() == 1);
  const SafetensorsFile file(saved.folder / "model.safetensors");
  REQUIRE(file.find("score.weight"));
  CHECK(file.find("score.weight")->shape == std::vector<size_t>{1, 6});
  CHECK(file.find("model.embed_tokens.weight"));
  CHECK(!file.find("lm_head.weight"));
  // transformers knows no bias: there is one in the file where it says something.
  CHECK(!file.find("score.bias"));
  CHECK(SafetensorsFile(biased.folder / "model.safetensors").find("score.bias"));
}

TEST_CASE("a reward model as transformers writes it is read") {
  const SavedReward saved(0);
  saved.edit("id2label", {{"0", "LABEL_0"}});
  saved.edit("label2id", {{"LABEL_0", 0}});
  saved.edit("pad_token_id", 257);
  saved.edit("problem_type", "regression");
  saved.edit("tie_word_embeddings", true);  // of a head that is not there
  CHECK(saved.error() == "");
}

TEST_CASE("what is no reward model is refused in one line, and a reward model where a language model is wanted") {
  const SavedModel language;
  const auto load = [](const auto& path) { load_reward_model(path); };
  CHECK_THAT(refusal_of(language.folder, load),
             contains("config.json: architectures is [\"LlamaForCausalLM\"], expected "
                      "[\"LlamaForSequenceClassification\"]: a language model is a reward model without head"));
  const SavedReward saved;
  CHECK_THAT(refusal_of(saved.folder, [](const auto& path) { load_model(path); }),
             contains("config.json: architectures is [\"LlamaForSequenceClassification\"], expected "
                      "[\"LlamaForCausalLM\"]: a reward model gives no probabilities"));
  // A language model that claims to be one.
  language.edit("architectures", {"LlamaForSequenceClassification"});
  CHECK_THAT(refusal_of(language.folder, load),
             contains("holds a reward model without head: tensor \"score.weight\" is missing"));
  saved.edit("id2label", {{"0", "bad"}, {"1", "good"}});
  CHECK_THAT(saved.error(), contains("id2label has 2 labels, expected one, the reward"));
  saved.edit("id2label", absent);
  saved.edit("num_labels", 2);
  CHECK_THAT(saved.error(), contains("num_labels is 2, expected 1: a reward is one number"));
  saved.edit("num_labels", absent);
  CHECK(saved.error() == "");
  saved.edit("vocab_size", 300);
  CHECK_THAT(saved.error(), contains("has shape (258, 6), but config.json asks for (300, 6)"));
  TemporaryFolder empty;
  CHECK_THAT(refusal_of(empty, load), contains("holds no reward model: expected config.json"));
}

TEST_CASE("a head with several labels is refused by its shape") {
  const SavedReward saved;
  std::vector<TensorToWrite> tensors;
  const std::vector<real> two(12);
  saved.model.for_each([&](const std::string& name, const auto& view) {
    if (name == "score.weight")
      tensors.push_back({name, {2, 6}, two});
    else
      tensors.push_back({name, {view.shape().begin(), view.shape().end()}, view.span()});
  });
  write_safetensors(saved.folder / "model.safetensors", tensors);
  CHECK_THAT(saved.error(), contains("score.weight"));
  CHECK_THAT(saved.error(), contains("(2, 6)"));
}
