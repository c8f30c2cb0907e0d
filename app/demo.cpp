// cria demo: the whole job in a minute and a half.
#include "app/demo.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "app/command_name.hpp"
#include "app/sample.hpp"
#include "app/train.hpp"
#include "lib/base/file.hpp"
#include "lib/base/thread_pool.hpp"
#include "lib/grammar/judge.hpp"

namespace cria {
namespace {

constexpr size_t judged_stories = 200;

void heading(const char* text) {
  fmt::print("\n── {}\n\n", text);
  std::fflush(stdout);
}

// Story i comes from seed i, so threads do not change what is told.
std::vector<std::string> tell_stories(const Model& model, size_t count, size_t threads) {
  const std::vector<TokenId> prompt = prompt_tokens(model, "");
  std::vector<std::string> stories(count);
  ThreadPool pool(threads);
  pool.for_each(threads, [&](size_t thread) {
    Decoder decoder(model.weights, model.config.llama.context, 1);
    for (size_t i = thread; i < count; i += threads) {
      decoder.reset();
      GenerationOptions options;
      options.sampling.seed = i;
      options.tokens = model.config.llama.context;
      generate_text(decoder, *model.tokenizer, prompt, model.config.end_of_text, options,
                    [&](std::string_view part) { stories[i] += part; });
    }
  });
  return stories;
}

}  // namespace

int run_demo(const DemoOptions& options) {
  const size_t threads = thread_count(options.threads);
  require_minutes(options.minutes);  // before anything is told
  heading("A story from the small model that comes with cria");
  run_sample({});

  heading("Training a new one on the built-in stories");
  TrainOptions training;
  training.base = std::filesystem::path("runs") / "demo";
  training.minutes = options.minutes;
  training.threads = threads;
  const TrainResult trained = train(training);
  if (trained.stopped) return 0;

  heading("What it tells");
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
