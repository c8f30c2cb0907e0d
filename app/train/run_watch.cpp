#include "app/train/run_watch.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>

#include "app/look/page_asset.hpp"
#include "app/look/training_data.hpp"
#include "app/output.hpp"
#include "app/serve/access.hpp"
#include "app/train/train.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

using namespace std::chrono_literals;

/// A page without a model: what it shows comes as events.
constexpr const char* data_script = "var lookData = { training: { watched: true, lines: [] } };\n";

http::Response refusal(int status, const std::string& reason) { return {status, reason + "\n", "text/plain"}; }

/// A page of a stranger may have a name that has become an address of this machine: that name stands in Host then.
bool is_own(const http::Request& request) {
  const std::string *host = request.header("host"), *origin = request.header("origin");
  return host && serve::names_loopback(*host) && (!origin || *origin == "http://" + *host);
}

look::RunLine line_of(const Progress& p) {
  look::Figures figures = p.figures;
  figures.insert({{"seconds", p.seconds},
                  {"loss", p.loss},
                  {"bits_per_byte", p.bits_per_byte},
                  {"tokens_per_second", p.tokens_per_second},
                  {"lr", p.learning_rate},
                  {"grad_norm", p.gradient_norm}});
  if (p.validation_loss) figures["val_loss"] = *p.validation_loss;
  return look::line_of(p.step, p.validation_loss.has_value(), std::move(figures));
}

}  // namespace

RunWatch::RunWatch(std::uint16_t port) {
  http::ServerOptions options;
  options.port = port;
  options.connections = 64;
  options.limits.body = 0;
  options.times.request = options.times.write = 5s;  // a page that takes nothing keeps the run from ending so long
  server_ = std::make_unique<http::Server>(
      options, [this](const http::Request& request, http::Exchange& exchange) { answer(request, exchange); }, refusal);
}

RunWatch::~RunWatch() {
  finish(State::failed);
  server_->stop();
  server_->join();
}

void RunWatch::begin(const RunFolder& folder, const std::filesystem::path& log, const std::string& title,
                     size_t steps_done) {
  const std::filesystem::path file = log.empty() ? folder / "log.jsonl" : log;
  look::LoggedRun earlier;
  if (steps_done > 0 && std::filesystem::is_regular_file(file)) {
    try {
      earlier = look::read_run(file, steps_done);
    } catch (const UserError&) {  // the page then begins with the next step
    }
  }
  const std::scoped_lock lock(mutex_);
  state_ = State::running, name_ = last_name(folder.path()), title_ = title;
  lines_ = std::move(earlier.lines), last_ = std::move(earlier.last), floor_ = earlier.floor;
}

void RunWatch::add(const Progress& progress) {
  look::RunLine line = line_of(progress);
  const std::scoped_lock lock(mutex_);
  lines_.add(line);
  last_ = std::move(line), floor_ = progress.floor, share_ = progress.share;
}

void RunWatch::end(bool finished) { finish(finished ? State::ended : State::stopped); }

void RunWatch::finish(State state) {
  {
    const std::scoped_lock lock(mutex_);
    if (!is_over()) state_ = state;
    lines_.close();
  }
  ended_.notify_all();
}

nlohmann::json RunWatch::news(Shown& shown) const {
  std::vector<look::RunLine> lines;
  look::RunLine last;
  nlohmann::json all;
  static constexpr const char* names[] = {"waiting", "running", "ended", "stopped", "failed"};
  {
    const std::scoped_lock lock(mutex_);
    if (shown.step == last_.step && shown.state == state_) return nullptr;
    const bool whole = shown.group != lines_.group();
    const std::vector<look::RunLine>& known = lines_.lines();
    lines.assign(known.begin() + std::ptrdiff_t(whole ? 0 : shown.lines), known.end());
    last = last_;
    shown = {lines_.group(), known.size(), last_.step, state_};
    all = {{"state", names[int(state_)]},
           {"name", name_},
           {"title", title_},
           {"whole", whole},
           {"steps", last_.step},
           {"share", share_},
           {"floor", floor_ ? nlohmann::json(*floor_) : nlohmann::json(nullptr)}};
  }
  all["latest"] = last.step > 0 ? line_data(last) : nlohmann::json(nullptr);
  nlohmann::json& sent = all["lines"] = nlohmann::json::array();
  for (const look::RunLine& line : lines) sent.push_back(line_data(line));
  return all;
}

void RunWatch::follow(http::Exchange& exchange) {
  exchange.begin(
      {200, "", "text/event-stream", {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}}});
  Shown shown;
  for (bool over = false; !over && !exchange.client_left();) {
    {
      std::unique_lock lock(mutex_);
      if (shown.group > 0) ended_.wait_for(lock, 1s, [this] { return is_over(); });
      over = is_over();
    }
    const nlohmann::json event = news(shown);
    if (event.is_null()) continue;
    if (!exchange.send("data: " + event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n\n"))
      return;
  }
  exchange.end();
}

void RunWatch::answer(const http::Request& request, http::Exchange& exchange) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!is_own(request)) {
    exchange.respond(refusal(403, "this page is for browsers on this machine, and not for the pages of others"));
  } else if (!reads) {
    exchange.respond(refusal(405, "there is only something to GET"));
  } else if (request.path == "/training" && request.method == "GET") {
    follow(exchange);
  } else if (const auto asset = look::page_asset(request.path, data_script)) {
    exchange.respond(*asset);
  } else {
    exchange.respond(refusal(404, "there is nothing at this path"));
  }
}

std::unique_ptr<RunWatch> watch_run(const TrainOptions& options) {
  if (!options.watch) return nullptr;
  auto watch = std::make_unique<RunWatch>(*options.watch);
  // Where the output is for a program, its one line stays alone.
  fmt::print(options.json || options.quiet ? stderr : stdout, "Watch this run at http://127.0.0.1:{}/\n",
             watch->port());
  flush_output();
  return watch;
}

}  // namespace cria
