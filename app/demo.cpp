// cria demo: the whole job in a minute and a half.
#include "app/demo.hpp"

#include <fmt/format.h>

#include "app/command_name.hpp"
#include "app/output.hpp"
#include "app/run/sample.hpp"
#include "app/thread_count.hpp"
#include "app/train/train.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/judge.hpp"

namespace cria {
namespace {

constexpr size_t judged_stories = 200;

// Story i comes from seed i, so threads do not change what is told.
std::vector<std::string> tell_stories(const Model& model, size_t count, size_t threads) {
  const size_t context = model.config.llama.context;
  std::vector<TextRequest> requests(count, {prompt_tokens(model, ""), {.tokens = context}});
  for (size_t i = 0; i < count; ++i) requests[i].options.sampling.seed = i;
  BatchDecoder decoder(model.weights, 32, context, threads);
  std::vector<std::string> stories;
  for (FinishedText& text : generate_texts(decoder, *model.tokenizer, requests, model.config.end_of_text))
    stories.push_back(std::move(text.text));
  return stories;
}

}  // namespace

int run_demo(const DemoOptions& options) {
  const size_t threads = thread_count(options.threads);
  require_minutes(options.minutes);  // before anything is told
  print_heading("A story from the small model that comes with cria");
  const SampleOptions from_the_small_model;
  run_sample(from_the_small_model);

  print_heading("Training a new one on the built-in stories");
  TrainOptions training;
  training.base = std::filesystem::path("runs") / "demo";
  training.recipe = (data_folder() / "stories" / "minute.yaml").string();
  training.minutes = options.minutes;
  training.threads = threads;
  const TrainResult trained = train(training);
  if (trained.stopped) return 0;

  print_heading("What it tells");
  const Model model = load_model(trained.folder);
  const std::vector<std::string> stories = tell_stories(model, judged_stories, threads);
  for (size_t i = 0; i < 3; ++i) fmt::print("{}\n\n", stories[i]);
  const Judgement judgement = judge(Grammar::load(data_folder() / "stories" / "stories.grammar"),
                                    std::vector<std::string_view>(stories.begin(), stories.end()));
  fmt::print(
      "Of {} such stories, {:.1f} % of the sentences are ones that the stories' grammar allows,\n"
      "and {:.1f} % of the stories keep all their threads: names, objects, places and promises.\n",
      judgement.stories, 100 * judgement.sentence_share(), 100 * judgement.story_share());
  fmt::print("\nNext: {0} sample {1} -p \"Once\"   {0} train --minutes 10   {0} --help\n", command_name(),
             trained.folder.string());
  return 0;
}

}  // namespace cria
