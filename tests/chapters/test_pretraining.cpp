// Chapter 11, pretraining as a run: it learns, it can be killed and resumed with the same bits, and it stops when its
// numbers overflow. What holds for every kind of run is in test_run.cpp.
#include "chapters/11-pretraining/pretraining.hpp"

#include <cmath>
#include <fstream>

#include "lib/base/file.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// A small run on the stories, as often as wanted.
struct Run {
  Recipe recipe;
  Tokenizer tokenizer{bytes_model()};
  TemporaryFolder folder;
  std::string data = "stories";

  Run() {
    LlamaConfig& m = recipe.model;
    m.vocabulary_size = tokenizer.vocabulary_size();
    m.dim = 12, m.hidden_dim = 20, m.layers = 2, m.heads = 2, m.kv_heads = 1, m.head_dim = 6;
    m.context = recipe.training.positions = 256;
    recipe.training.batch = 4;
    recipe.validation_tokens = 1500;
    recipe.evaluations = 4;
  }

  ModelConfig config() const { return {recipe.model, {}, {}}; }

  LlamaParameters initial() const {
    LlamaParameters weights(recipe.model);
    Random random(1);
    initialise(weights, random);
    return weights;
  }

  /// From the checkpoint if there is one. How it ends is up to `goal`, `stop`, or an observer that throws.
  RunResult run_to(
      const LlamaParameters& weights, Goal goal, size_t threads = 2, const Observer& observer = [](const Progress&) {},
      const std::atomic<bool>* stop = nullptr) const {
    TrainingState state{.data = data, .seed = 1, .recipe = recipe_text(recipe)};
    const bool resumes = std::filesystem::exists(folder / checkpoint_file);
    const RunFolder claimed = resumes ? RunFolder::to_resume(folder.path()) : RunFolder::for_new_run(folder.path());
    if (resumes) state = read_training_state(folder / checkpoint_file);
    const Data opened(state.data, state.seed);
    Corpus corpus = open_corpus(opened, tokenizer, recipe);
    require_same_data(state, opened.name, corpus);
    ThreadPool pool(threads);
    const ModelConfig described = config();
    Pretraining training(whole_model(described, weights, tokenizer), corpus, recipe, pool);
    if (resumes) training.restore(claimed, state);
    return cria::run(training, state,
                     {.folder = claimed, .goal = goal, .evaluations = recipe.evaluations, .stop = stop}, observer);
  }

  std::vector<Progress> train(
      const LlamaParameters& weights, size_t steps, size_t threads = 2,
      const Observer& also = [](const Progress&) {}) const {
    std::vector<Progress> seen;
    run_to(weights, {.steps = steps}, threads, [&](const Progress& progress) {
      seen.push_back(progress);
      also(progress);
    });
    return seen;
  }
};

struct Killed {};

}  // namespace

TEST_CASE("a run says what it does at each step, and validates and saves as often as the recipe says") {
  const Run run;
  const LlamaParameters weights = run.initial();
  const std::vector<Progress> seen = run.train(weights, 8);
  REQUIRE(seen.size() == 8);
  for (size_t i = 0; i < 8; ++i) {
    const Progress& p = seen[i];
    CHECK(p.step == i + 1);
    CHECK(p.share == double(i + 1) / 8);
    CHECK(p.validation_loss.has_value() == (i % 2 == 1));
    CHECK(p.floor);
    CHECK(p.bits_per_byte > *p.floor);
    CHECK(p.gradient_norm > 0);
  }
  // A new model knows nothing: every token is equally likely.
  CHECK(difference(seen[0].loss, std::log(258), 0.1) == "");
  CHECK(*seen[7].validation_loss < *seen[1].validation_loss);
  CHECK(seen[7].learning_rate == run.recipe.learning_rate * run.recipe.final_learning_rate);
  // One token a byte here, so bits per byte are the loss in other units.
  CHECK(difference(seen[7].bits_per_byte / (*seen[7].validation_loss / std::log(2)), 1, 1e-12) == "");

  const Model model = load_model(run.folder.path());
  CHECK(model.config.llama == run.recipe.model);
  for (size_t i = 0; i < weights.flat().size(); ++i)
    REQUIRE(float(model.weights.flat()[i]) == float(weights.flat()[i]));
}

TEST_CASE("a checkpoint says where its run was to end: after steps, or after minutes") {
  Run run;
  run.recipe.evaluations = 1;
  run.train(run.initial(), 2);
  TrainingState state = read_training_state(run.folder / checkpoint_file);
  CHECK(state.goal.steps == 2);
  CHECK_FALSE(state.goal.minutes);

  const LlamaParameters weights = run.initial();
  AdamW optimiser(weights, {});
  state.goal = {.minutes = 0.1};
  write_checkpoint(run.folder / checkpoint_file, state, weights, optimiser);
  state = read_training_state(run.folder / checkpoint_file);
  CHECK_FALSE(state.goal.steps);
  CHECK(state.goal.minutes == 0.1);

  state.goal = {};  // as files from before this was kept
  write_checkpoint(run.folder / checkpoint_file, state, weights, optimiser);
  state = read_training_state(run.folder / checkpoint_file);
  CHECK(state.step == 2);
  CHECK_FALSE(state.goal.given());
}

TEST_CASE("a run that was killed and resumed ends with the same bits, at any number of threads") {
  const Run whole;
  const LlamaParameters expected = whole.initial();
  const std::vector<Progress> uninterrupted = whole.train(expected, 8, 1);

  const size_t killed_at = GENERATE(2, 3, 5);  // at a checkpoint, and after one
  const Run run;
  const LlamaParameters before = run.initial();
  CHECK_THROWS_AS(run.train(before, 8, 2,
                            [&](const Progress& p) {
                              if (p.step == killed_at) throw Killed();
                            }),
                  Killed);
  const LlamaParameters weights(run.recipe.model);  // zeros: all must come from the checkpoint
  const std::vector<Progress> resumed = run.train(weights, 8, 4);
  CHECK(resumed.front().step == killed_at / 2 * 2 + 1);
  CHECK(difference(weights.flat(), expected.flat(), 0) == "");
  for (const Progress& p : resumed) {
    CHECK(p.loss == uninterrupted[p.step - 1].loss);
    CHECK(p.validation_loss == uninterrupted[p.step - 1].validation_loss);
    CHECK(p.learning_rate == uninterrupted[p.step - 1].learning_rate);
  }
  CHECK(read_file(run.folder / "model.safetensors") == read_file(whole.folder / "model.safetensors"));
}

TEST_CASE("a run does not go on with a text that has changed") {
  Run run;
  run.recipe.model.context = run.recipe.training.positions = 16;
  run.data = (run.folder / "text.txt").string();
  std::ofstream(run.data) << std::string(900, 'a');
  run.train(run.initial(), 2);
  const LlamaParameters weights(run.recipe.model);
  run.train(weights, 4);
  const std::string renamed = (run.folder / "renamed.txt").string();
  std::filesystem::rename(run.data, renamed);
  const TrainingState state = read_training_state(run.folder / checkpoint_file);
  const Data elsewhere(renamed, 1);
  CHECK_NOTHROW(require_same_data(state, elsewhere.name, open_corpus(elsewhere, run.tokenizer, run.recipe)));
  std::filesystem::rename(renamed, run.data);
  std::ofstream(run.data, std::ios::app) << 'b';
  CHECK_THROWS_WITH(run.train(weights, 6), contains("text.txt has changed since this run began"));
}

TEST_CASE("a run that is asked to stop saves what it has") {
  const Run run;
  const LlamaParameters weights = run.initial();
  std::atomic<bool> stop = false;
  const RunResult end = run.run_to(
      weights, {.steps = 100}, 1, [&](const Progress& p) { stop = p.step == 2; }, &stop);
  CHECK(end.progress.step == 3);
  CHECK_FALSE(end.finished);
  CHECK(read_training_state(run.folder / checkpoint_file).step == 3);
}

TEST_CASE("a run ends when its minutes are over, with its last numbers saved") {
  const Run run;
  const RunResult end = run.run_to(run.initial(), {.minutes = 1e-4}, 1);
  CHECK(end.progress.share == 1);
  CHECK(end.finished);
  CHECK(end.progress.seconds >= 6e-3);
  CHECK(read_training_state(run.folder / checkpoint_file).step == end.progress.step);
}

TEST_CASE("a run does at least one step, however short its time, and saves it") {
  const Run run;
  CHECK(run.run_to(run.initial(), {.minutes = 1e-12}, 1).progress.step == 1);
  CHECK(read_training_state(run.folder / checkpoint_file).step == 1);
  CHECK_NOTHROW(load_model(run.folder.path()));
}

TEST_CASE("a loss that is no longer finite ends the run, says what to try, and the last checkpoint stays") {
  Run run;
  run.train(run.initial(), 4);
  const std::string checkpoint = read_file(run.folder / checkpoint_file),
                    model = read_file(run.folder / "model.safetensors");
  // Each step multiplies the weights by the rate times the decay, so they overflow after a few.
  run.recipe.learning_rate = 1e30;
  run.recipe.evaluations = GENERATE(1, 1000);  // with a validation at each step it is the first to see the overflow
  const LlamaParameters weights(run.recipe.model);
  std::string message;
  try {
    run.train(weights, 1000);
  } catch (const UserError& error) {
    message = error.what();
  }
  CHECK_THAT(message, contains("the loss is no longer finite at step") &&
                          contains("the last checkpoint in " + run.folder.path().string()) &&
                          contains("try a lower optimiser.learning_rate (it is 1e+30)"));
  CHECK(message.find("clip_norm") == std::string::npos);  // it is set already
  // Checkpoints in between are allowed, as long as every number in them is finite.
  const TrainingState state = read_training_state(run.folder / checkpoint_file);
  if (run.recipe.evaluations == 1) {
    CHECK(state.step == 4);
    CHECK(read_file(run.folder / checkpoint_file) == checkpoint);
    CHECK(read_file(run.folder / "model.safetensors") == model);
  }
  AdamW optimiser(weights, {});
  read_checkpoint(run.folder / checkpoint_file, weights, optimiser);
  for (const real value : weights.flat()) REQUIRE(std::isfinite(value));
}

TEST_CASE("a run that overflows before its first checkpoint says that there is none") {
  Run run;
  run.recipe.learning_rate = 1e30;
  run.recipe.evaluations = 1;
  CHECK_THROWS_WITH(run.train(run.initial(), 1000), contains("no checkpoint was written yet"));
  CHECK_FALSE(std::filesystem::exists(run.folder / "model.safetensors"));
}
