// The options of cria bench.
#include "app/bench/bench.hpp"
#include "app/commands.hpp"

namespace cria {

void add_tools(CLI::App& app, int& code) {
  auto [c, o] = command<BenchOptions>(app, "bench", "Measure this machine's limits, and how near to them cria comes",
                                      run_bench, code);
  c->add_option("what", o->what,
                "all; ladder: from three loops to the matrix product that cria uses; context: time per token as the "
                "context grows; busy: with one core taken by something else; memory: the most that a run takes; serve: "
                "a server under load")
      ->capture_default_str();
  c->add_option("--only", o->only, "Only what has one of these texts in its section, name, shape or target")
      ->delimiter(',');
  c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
  c->add_option("--repeats", o->repeats, "Rounds, of which the median counts")->capture_default_str();
  c->add_option("--against", o->against, "Also another library's matrix product: openblas or onednn");
  c->add_option("--type", o->types, "Also models with weights of these types: F32, F16, BF16, Q8_0, Q4_K, …")
      ->delimiter(',');
  c->add_option("--config", o->config, "Also a model of this shape: a folder, or its config.json");
  c->add_option("--tokenizer", o->tokenizer, "A folder or file instead of the built-in tokenizer");
  c->add_option("--text", o->text, "A file to encode instead of stories");
  c->add_option("--svg", o->svg, "With context: a file for the plot");
  c->add_option("--url", o->url, "With serve: where it is")->capture_default_str();
  c->add_option("--clients", o->clients, "With serve: loads of so many that ask again as soon as they are answered")
      ->delimiter(',')
      ->capture_default_str();
  c->add_option("--rates", o->rates, "With serve: loads of so many requests a second, which come by chance")
      ->delimiter(',');
  c->add_option("--requests", o->requests, "With serve: of each load")->capture_default_str();
  c->add_option("--prompt-words", o->prompt_words, "With serve: of each request")->capture_default_str();
  c->add_option("--tokens", o->tokens, "With serve: of each answer, at most")->capture_default_str();
  c->add_flag("--json", o->json, "Results as JSON");
}

}  // namespace cria
