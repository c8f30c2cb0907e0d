// Chapter 11, checkpoints: what is written is read back, and what is damaged is refused.
#include "chapters/11-pretraining/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "chapters/11-pretraining/batches.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

const LlamaConfig small{.vocabulary_size = 258,
                        .dim = 6,
                        .hidden_dim = 5,
                        .layers = 2,
                        .heads = 2,
                        .kv_heads = 1,
                        .head_dim = 4,
                        .context = 9};

}  // namespace

TEST_CASE("a checkpoint is read back bit for bit") {
  const TemporaryFolder folder;
  const LlamaParameters weights(small), read_weights(small);
  AdamW optimiser(weights, {}), read_optimiser(weights, {});
  Random random(2);
  for (const ParameterSet* parameters :
       std::initializer_list<const ParameterSet*>{&weights, &optimiser.first_moment(), &optimiser.second_moment()})
    for (real& value : parameters->flat()) value = real(random.normal() * 1e-20);  // every digit of `real` counts
  const TrainingState state{.step = 1234,
                            .seconds = 0.1 + 0.2,
                            .position = ~std::uint64_t{0},
                            .data = "a \"text\".txt",
                            .seed = 42,
                            .recipe = "model:\n  dim: 6\n",
                            .fingerprint = ~std::uint64_t{1}};
  write_checkpoint(folder / checkpoint_file, state, weights, optimiser);

  const TrainingState read = read_training_state(folder / checkpoint_file);
  CHECK(read.step == 1234);
  CHECK(read.seconds == 0.1 + 0.2);
  CHECK(read.position == ~std::uint64_t{0});
  CHECK(read.data == state.data);
  CHECK(read.seed == 42);
  CHECK(read.fingerprint == ~std::uint64_t{1});
  CHECK(read.recipe == state.recipe);
  read_checkpoint(folder / checkpoint_file, read_weights, read_optimiser);
  CHECK(difference(read_weights.flat(), weights.flat(), 0) == "");
  CHECK(difference(read_optimiser.first_moment().flat(), optimiser.first_moment().flat(), 0) == "");
  CHECK(difference(read_optimiser.second_moment().flat(), optimiser.second_moment().flat(), 0) == "");
  CHECK(read_optimiser.steps() == 1234);

  // With room for one kind of numbers only the file is the same, and so is what is read.
  const LlamaParameters room(small);
  const auto numbers_of = [](Held what, const LlamaParameters& of, const AdamW& moments) {
    if (what == Held::weights) return of.flat();
    return (what == Held::first_moment ? moments.first_moment() : moments.second_moment()).flat();
  };
  write_checkpoint(folder / "apart", state, room,
                   [&](Held what) { std::ranges::copy(numbers_of(what, weights, optimiser), room.flat().begin()); });
  CHECK(read_file(folder / "apart") == read_file(folder / checkpoint_file));
  size_t kinds = 0;
  read_checkpoint(folder / "apart", room, [&](Held what) {
    ++kinds;
    CHECK(difference(room.flat(), numbers_of(what, weights, optimiser), 0) == "");
  });
  CHECK(kinds == 3);
}

TEST_CASE("a checkpoint that is damaged, or of another model, is refused with the reason") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / checkpoint_file;
  const LlamaParameters weights(small);
  AdamW optimiser(weights, {});
  const TrainingState state{
      .step = 7, .seconds = 1.25, .position = 2, .data = "stories", .seed = 1, .recipe = "", .goal = {.minutes = 2.5}};
  write_checkpoint(file, state, weights, optimiser);
  const std::string whole = read_file(file);

  LlamaConfig wider = small;
  wider.dim = 8;
  const LlamaParameters others(wider);
  AdamW of_others(others, {});
  CHECK_THROWS_WITH(read_checkpoint(file, others, of_others), contains("has shape (258, 6), expected (258, 8)"));

  for (const size_t length : {size_t{0}, size_t{7}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(file, std::ios::binary) << whole.substr(0, length);
    CHECK_THROWS_AS(read_training_state(file), UserError);
    CHECK_THROWS_AS(read_checkpoint(file, weights, optimiser), UserError);
  }
  const auto spoil = [&](const std::string& part, const std::string& with) {  // of the same length
    std::string spoiled = whole;
    spoiled.replace(spoiled.find(part), part.size(), with);
    std::ofstream(file, std::ios::binary) << spoiled;
  };
  spoil("\"step\":\"7\"", "\"step\":\"x\"");
  CHECK_THROWS_WITH(read_training_state(file),
                    contains("step is \"x\", expected a whole number above 0; the file is damaged"));
  spoil("\"step\":\"7\"", "\"step\":\"0\"");  // it would begin anew, with the weights of the end
  CHECK_THROWS_WITH(read_training_state(file), contains("step is \"0\", expected a whole number above 0"));
  for (const char* seconds : {"-1.5", "-inf", "-nan"}) {
    spoil("\"seconds\":\"1.25\"", fmt::format("\"seconds\":\"{}\"", seconds));
    CHECK_THROWS_WITH(read_training_state(file), contains("expected 0 or more; the file is damaged"));
  }
  for (const char* minutes : {"inf", "-01", "nan", "0.0"}) {
    spoil("\"goal_minutes\":\"2.5\"", fmt::format("\"goal_minutes\":\"{}\"", minutes));
    CHECK_THROWS_WITH(read_training_state(file), contains("expected more than 0, and an end; the file is damaged"));
  }
  spoil("goal_minutes", "goal_minutez");
  CHECK_THROWS_WITH(read_training_state(file), contains("does not know the metadata \"goal_minutez\""));
  write_safetensors(file, {});
  CHECK_THROWS_WITH(read_training_state(file), contains("is no checkpoint of a training run: its metadata lacks step"));
}

TEST_CASE("the best validation loss may be below 0, as that of a reward is") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / checkpoint_file;
  const LlamaParameters weights(small);
  AdamW optimiser(weights, {});
  write_checkpoint(file, {.step = 7, .data = "stories", .recipe = "", .best_loss = -2.5, .best_step = 6}, weights,
                   optimiser);
  CHECK(read_training_state(file).best_loss == -2.5);
  std::string spoiled = read_file(file);
  spoiled.replace(spoiled.find("\"-2.5\""), 6, "\"-inf\"");
  std::ofstream(file, std::ios::binary) << spoiled;
  CHECK_THROWS_WITH(read_training_state(file), contains("best_loss is \"-inf\", expected a number"));
}

TEST_CASE("whatever bit of a checkpoint is flipped, it is seen") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / checkpoint_file;
  const LlamaParameters weights(small);
  AdamW optimiser(weights, {});
  Random random(3);
  for (real& value : weights.flat()) value = real(random.normal());
  const TrainingState state{.step = 7,
                            .seconds = 1.25,
                            .position = 2,
                            .data = "stories",
                            .seed = 1,
                            .recipe = "a recipe",
                            .goal = {.steps = 9},
                            .fingerprint = 5,
                            .best_loss = 1.5,
                            .best_step = 6};
  write_checkpoint(file, state, weights, optimiser);
  std::string content = read_file(file);
  std::uint64_t header;
  std::memcpy(&header, content.data(), sizeof header);
  size_t flipped = 0;
  // All of it is one sum. Every byte of the length and every seventh of the header, so that keys, numbers and signs are
  // all hit, and in the data some of each tensor: 131 is no multiple of a word.
  for (size_t at = 0; at < content.size(); at += at < 8 ? 1 : at < 8 + header ? 7 : 131, ++flipped) {
    const char bit = static_cast<char>(1 << (at % 8));
    content[at] ^= bit;
    std::ofstream(file, std::ios::binary) << content;
    CAPTURE(at);
    CHECK_THROWS_AS(read_checkpoint(file, weights, optimiser), UserError);
    content[at] ^= bit;
  }
  CHECK(flipped > 800);
  std::ofstream(file, std::ios::binary) << content;
  CHECK_NOTHROW(read_checkpoint(file, weights, optimiser));
}

TEST_CASE("a checkpoint from before there were checksums is read without") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / checkpoint_file;
  const LlamaParameters weights(small);
  AdamW optimiser(weights, {});
  write_checkpoint(file, {.step = 7, .data = "stories", .recipe = ""}, weights, optimiser);
  const SafetensorsFile stored(file);
  std::map<std::string, std::string> metadata = stored.metadata();
  REQUIRE(metadata.erase("checksum") == 1);
  std::vector<TensorToWrite> tensors;
  std::vector<std::vector<real>> values;
  for (const StoredTensor& tensor : stored.tensors()) {
    stored.copy_to(tensor.name, tensor.shape, values.emplace_back(tensor.bytes.size() / sizeof(real)));
    tensors.push_back({tensor.name, tensor.shape, values.back(), tensor.type});
  }
  write_safetensors(folder / "old.safetensors", tensors, metadata);
  CHECK_NOTHROW(read_checkpoint(folder / "old.safetensors", weights, optimiser));
}

TEST_CASE("windows of a text do not go on from a position that no generator comes to") {
  const auto windows = random_windows(std::vector<std::int32_t>(20, 1), 1, 2, 8, 3);
  CHECK_THROWS_WITH(windows->restore(0), contains("the file is damaged"));
}
