// cria serve: the model behind OpenAI's API.
#include "app/serve/serve.hpp"

#include <fmt/format.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "app/look/book_files.hpp"
#include "app/output.hpp"
#include "app/run/answering_model.hpp"
#include "app/run/cache_type.hpp"
#include "app/run/chat.hpp"
#include "app/serve/service.hpp"
#include "app/thread_count.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/12-open-weights/open_tokenizer.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/interrupt.hpp"

namespace cria {
namespace {

/// The name of the folder or file, without .gguf.
std::string served_name(const ServeOptions& options, const std::filesystem::path& path) {
  if (!options.name.empty()) return options.name;
  if (options.model.empty()) return "stories";
  const std::filesystem::path last = last_name(path);
  return (last.extension() == ".gguf" ? last.stem() : last).string();
}

serve::ServedModel describe(const ServeOptions& options, const AnsweringModel& answering) {
  const PackedModel& model = answering.model;
  serve::ServedModel served;
  served.name = served_name(options, answering.path);
  served.created = std::time(nullptr);
  served.tokenizer = model.tokenizer.get();
  served.begin = model.config.begin_of_text;
  served.sampling = answering.sampling;
  served.context = chosen_context(options.context, model.config.llama);
  served.vocabulary = model.config.llama.vocabulary_size;
  try {
    served.chat_template.emplace(open_chat_template(answering.format_folder(), model, options.chat_template));
  } catch (const UserError& error) {  // it can still continue texts
    if (!options.chat_template.empty()) throw;
    served.why_no_template = error.what();
  }
  served.trie = std::make_shared<TokenTrie>(*model.tokenizer, answering.ends);
  served.ends = answering.ends;
  return served;
}

EngineOptions engine_options(const ServeOptions& options, const serve::ServedModel& served, const LlamaConfig& config) {
  EngineOptions engine{};
  engine.block_size = options.block_size;
  const size_t positions = options.cache ? options.cache : options.parallel * served.context;
  engine.blocks = (positions + engine.block_size - 1) / engine.block_size;
  engine.places = options.parallel;
  engine.chunk = options.chunk;
  engine.waiting = options.waiting;
  engine.threads = thread_count(options.threads);
  engine.cache_type = read_cache_type(options.cache_type, config);
  return engine;
}

serve::PageOptions page_options(const ServeOptions& options) {
  serve::PageOptions page{{}, {}, options.lessons, look::book_folder()};
  if (options.second_tokenizer.empty()) return page;
  page.second.emplace(open_tokenizer(options.second_tokenizer));
  page.second_name = last_name(options.second_tokenizer);
  return page;
}

/// Bodies come in a thread for each client, and each keeps what it has freed, up to twice the largest: 4 MB for bodies
/// of 2 MB. With a limit of its own what is large goes back to the system at once.
void give_back_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

}  // namespace

int run_serve(const ServeOptions& options) {
  const auto check = [](size_t value, const char* name) {
    if (value == 0) throw UserError(fmt::format("{} is 0, expected at least 1", name));
  };
  check(options.parallel, "--parallel");
  check(options.waiting, "--waiting");
  check(options.chunk, "--chunk");
  check(options.block_size, "--block-size");
  check(options.connections, "--connections");
  check(options.time_out, "--time-out");
  give_back_memory();
  const AnsweringModel answering = open_answering_model(options.model, options.adapter, options.sampling);
  const PackedModel& model = answering.model;
  const serve::ServedModel served = describe(options, answering);

  const char* key = std::getenv("CRIA_API_KEY");
  serve::ServiceOptions service_options{{options.api_key, options.origin, is_loopback(options.host)}, options.log};
  serve::Access& access = service_options.access;
  if (access.api_key.empty() && key) access.api_key = key;
  if (access.api_key.empty() && !access.is_loopback)
    fmt::print(stderr, "cria: without --api-key, everybody who reaches {} can use this model\n", options.host);

  const StopSignals signals;
  serve::Metrics metrics;
  serve::EngineThread engine(std::make_unique<Engine>(model.weights, *model.tokenizer, answering.ends,
                                                      engine_options(options, served, model.config.llama)),
                             answering.ends, options.waiting, metrics);
  serve::LookService look(served, model, engine, page_options(options));
  serve::Service service(served, engine, metrics, service_options, &look);
  http::ServerOptions server_options;
  server_options.host = options.host;
  server_options.port = options.port;
  server_options.connections = options.connections;
  server_options.limits.body = 2 << 20;  // half a million tokens; as JSON's values 64 MB
  server_options.wants_body = [&](const http::Request& request) { return service.wants_body(request); };
  server_options.times.request = server_options.times.write = std::chrono::seconds(options.time_out);
  http::Server server(
      server_options, [&](http::Request& request, http::Exchange& exchange) { service.answer(request, exchange); },
      [&](int status, const std::string& reason) { return service.refuse(status, reason); });
  const bool six = options.host.find(':') != options.host.npos;
  fmt::print("Serving {} at http://{}:{}/v1, {} texts of up to {} tokens at a time, and a page at /. Ctrl-C stops.\n",
             served.name, six ? "[" + options.host + "]" : options.host, server.port(), options.parallel,
             served.context);
  flush_output();
  while (!signals.requested()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  service.stop();
  server.stop();
  server.join();
  engine.stop();
  return 0;
}

}  // namespace cria
