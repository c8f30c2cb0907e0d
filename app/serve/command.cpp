// The options of cria serve.
#include "app/commands.hpp"
#include "app/run/adapter.hpp"
#include "app/run/cache_type.hpp"
#include "app/serve/serve.hpp"

namespace cria {

void add_serve_command(CLI::App& app, int& code) {
  auto [c, o] = command<ServeOptions>(
      app, "serve", "Answer programs by OpenAI's API, and show a page to talk and look inside", run_serve, code);
  c->add_option("model", o->model, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
  c->add_option("--adapter", o->adapter, adapter_help);
  c->add_option("--name", o->name, "What clients call the model; default: the name of its folder or file");
  c->add_option("--host", o->host, "The address to listen on; 0.0.0.0 is all of this machine's")->capture_default_str();
  c->add_option("--port", o->port, "0: one that is free")->capture_default_str();
  c->add_option("--parallel", o->parallel, "Texts that are written side by side")->capture_default_str();
  c->add_option("--context", o->context, "Tokens of a text with its prompt; 0: as it was trained, at most 4096");
  c->add_option("--cache", o->cache, "Tokens that are kept of all texts together; 0: as many as can be needed");
  c->add_option("--chunk", o->chunk, "Tokens of prompts that a pass reads beside those it writes, at most")
      ->capture_default_str();
  c->add_option("--block-size", o->block_size, "Positions of a block of the cache")->capture_default_str();
  c->add_option("--waiting", o->waiting, "Texts that may wait for a place; more are refused (429)")
      ->capture_default_str();
  c->add_option("--connections", o->connections, "Clients at the same time; more are refused (503)")
      ->capture_default_str();
  c->add_option("--time-out", o->time_out, "Seconds for a request to arrive, and for a client to take what it is sent")
      ->capture_default_str();
  c->add_option("--api-key", o->api_key,
                "What clients have to know; better in the environment, as CRIA_API_KEY, where no list shows it");
  c->add_option("--cors", o->origin,
                "The web page that may ask, such as http://localhost:3000, or * for all; default: none");
  c->add_option("--template", o->chat_template, "As of chat; default: the model's own");
  add_distribution_options(*c, o->sampling);  // where a request does not say
  c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
  c->add_option("--cache-type", o->cache_type, cache_type_help)->capture_default_str();
  c->add_option("--second-tokenizer", o->second_tokenizer,
                "A folder or file with another tokenizer, to be shown beside the model's on the page at /");
  c->add_option("--lessons", o->lessons,
                "The address that the page's chapters are linked below; default: the book, if it was written");
  c->add_flag("--log", o->log, "A line on standard error for each request");
}

}  // namespace cria
