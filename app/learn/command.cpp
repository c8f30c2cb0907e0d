// The options of cria learn and its commands.
#include "app/commands.hpp"
#include "app/learn/learn.hpp"

namespace cria {

void add_tools(CLI::App& app, int& code) {
  auto [learn, status] = command<LearnOptions>(
      app, "learn", "Write the chapters yourself, and see them proven", +[](const LearnOptions&) { return 0; }, code);
  learn->callback([learn = learn, &code] {
    if (learn->get_subcommands().empty()) code = run_learn({});
  });
  const auto add = [&, learn = learn](const char* name, const char* help, int (*run)(const LearnOptions&)) {
    return command<LearnOptions>(*learn, name, help, run, code);
  };
  const auto add_chapter = [](CLI::App* c, LearnOptions* o) {
    return c->add_option("chapter", o->chapter, "Its number or name; default: the one under way");
  };
  const auto add_limit = [](CLI::App* c, LearnOptions* o) {
    c->add_option("--limit", o->time_limit, "Seconds that the tests may take")->capture_default_str();
  };
  {
    auto [c, o] = add("start", "Write a chapter's skeleton to workshop/, for you to fill", run_learn_start);
    add_chapter(c, o)->required();
  }
  {
    auto [c, o] = add("check", "Build and test a chapter with your files", run_learn_check);
    add_chapter(c, o), add_limit(c, o);
  }
  {
    auto [c, o] = add("hint", "A nudge, then the formula, then the shape of the code", run_learn_hint);
    add_chapter(c, o);
    c->add_option("region", o->region, "What the hint is for; default: the first that is not written");
  }
  {
    auto [c, o] = add("diff", "Your files beside the reference", run_learn_diff);
    add_chapter(c, o);
    c->add_flag("--now", o->now, "Before your tests pass");
  }
  {
    auto [c, o] = add("reset", "Begin a chapter anew; your files move to workshop/backups", run_learn_reset);
    add_chapter(c, o);
  }
  {
    auto [c, o] = add("watch", "Check whenever you save", run_learn_watch);
    add_chapter(c, o), add_limit(c, o);
  }
  {
    auto [c, o] = add("train", "Train and sample with your components in the model", run_learn_train);
    c->add_option("--minutes", o->minutes, "How long to train")->capture_default_str();
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
  }
  {
    auto [c, o] = add("prove", "For authors: prove skeletons, references and mistakes", run_learn_prove);
    add_chapter(c, o), add_limit(c, o);
    c->add_flag("--record", o->record, "Write the fingerprints that mistakes are recognised by");
    c->add_option("--table", o->table, "Only write the table of mistakes to this file");
  }
}

}  // namespace cria
