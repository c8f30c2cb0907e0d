// cria bench serve: a server under load, any that speaks OpenAI's API. So many clients that each ask again as soon as
// they are answered (closed), or requests that come by chance at a mean rate, whoever is still waiting (open: Poisson).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/bench/load_client.hpp"
#include "app/bench/modes.hpp"
#include "lib/base/check.hpp"
#include "lib/base/random.hpp"

namespace cria::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// Some words that the built-in stories have, drawn anew for each request, so that no cache knows them.
std::string request_body(std::uint64_t number, size_t words, size_t tokens) {
  constexpr const char* known[] = {"the", "cat",  "dog", "a",    "big", "small", "red",  "house", "tree", "river",
                                   "day", "bear", "ran", "told", "and", "was",   "kind", "Lily",  "Ben",  "saw"};
  Random random(number);
  std::string prompt = "Once";
  for (size_t i = 1; i < words; ++i) prompt += std::string(" ") + known[random.next() % std::size(known)];
  return nlohmann::json({{"prompt", prompt},
                         {"max_tokens", tokens},
                         {"temperature", 1},
                         {"seed", number},
                         {"stream", true},
                         {"stream_options", {{"include_usage", true}}}})
      .dump();
}

struct Load {
  std::vector<Answered> answers;
  double seconds = 0;
};

/// One thread for each client.
Load closed_load(const ServerAddress& server, const BenchOptions& options, size_t clients, std::uint64_t first) {
  Load load;
  std::mutex mutex;
  std::uint64_t next = 0;
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < clients; ++i)
      threads.emplace_back([&] {
        for (;;) {
          std::uint64_t number;
          {
            const std::lock_guard lock(mutex);
            if (next == options.requests) return;
            number = next++;
          }
          const Answered answer =
              ask_for_text(server, request_body(first + number, options.prompt_words, options.tokens));
          const std::lock_guard lock(mutex);
          load.answers.push_back(answer);
        }
      });
  }
  load.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return load;
}

/// One thread for each request, which begins when its time has come.
Load open_load(const ServerAddress& server, const BenchOptions& options, double rate, std::uint64_t first) {
  Load load;
  std::mutex mutex;
  Random random(1);
  const auto begin = Clock::now();
  double due = 0;
  {
    std::vector<std::jthread> threads;
    for (size_t number = 0; number < options.requests; ++number) {
      std::this_thread::sleep_until(begin +
                                    std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(due)));
      threads.emplace_back([&, number] {
        const Answered answer =
            ask_for_text(server, request_body(first + number, options.prompt_words, options.tokens));
        const std::lock_guard lock(mutex);
        load.answers.push_back(answer);
      });
      due -= std::log(1 - random.uniform()) / rate;
    }
  }
  load.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return load;
}

/// Of sorted numbers; the largest where there are few.
double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(size_t(share * double(sorted.size())), sorted.size() - 1)];
}

nlohmann::ordered_json figures(const std::string& name, const Load& load) {
  std::vector<double> first, each;
  size_t tokens = 0, answered = 0;
  for (const Answered& answer : load.answers) {
    if (answer.status != 200) continue;
    ++answered;
    tokens += answer.tokens;
    first.push_back(1000 * answer.first_token);
    if (answer.tokens > 1) each.push_back(1000 * (answer.last_token - answer.first_token) / double(answer.tokens - 1));
  }
  std::ranges::sort(first);
  std::ranges::sort(each);
  return {{"load", name},
          {"requests", load.answers.size()},
          {"refused", load.answers.size() - answered},
          {"tokens_per_second", double(tokens) / load.seconds},
          {"first_token_ms", {{"median", percentile(first, 0.5)}, {"p99", percentile(first, 0.99)}}},
          {"per_token_ms", {{"median", percentile(each, 0.5)}, {"p99", percentile(each, 0.99)}}}};
}

void print_row(const nlohmann::ordered_json& row) {
  const auto number = [](const nlohmann::ordered_json& value) { return value.get<double>(); };
  fmt::print("{:<18} {:>8} {:>8} {:>10.1f} {:>9.1f} {:>9.1f} {:>9.2f} {:>9.2f}\n", row["load"].get<std::string>(),
             row["requests"].get<size_t>(), row["refused"].get<size_t>(), number(row["tokens_per_second"]),
             number(row["first_token_ms"]["median"]), number(row["first_token_ms"]["p99"]),
             number(row["per_token_ms"]["median"]), number(row["per_token_ms"]["p99"]));
  std::fflush(stdout);
}

}  // namespace

int bench_serve(const BenchOptions& options) {
  const ServerAddress server = server_address(options.url);
  if (options.requests == 0) throw UserError("--requests is 0, expected at least 1");
  constexpr std::uint64_t before_all = 1000000000;  // no request's number; a seed has to be less than 2^63
  if (ask_for_text(server, request_body(before_all, options.prompt_words, 1)).status != 200)
    throw UserError(
        fmt::format("nothing at {}/completions completes a text; start one with: cria serve MODEL, and give "
                    "the address that it prints",
                    options.url));
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  std::uint64_t first = 0;  // of each load: none asks for a text that one before it has asked for, and a cache may know
  const auto add = [&](const std::string& name, const Load& load) {
    first += options.requests;
    rows.push_back(figures(name, load));
    if (!options.json) print_row(rows.back());
  };
  if (!options.json)
    fmt::print(
        "{} requests of {} words for up to {} tokens, at {}\n{:<18} {:>8} {:>8} {:>10} {:>19} {:>19}\n"
        "{:<18} {:>8} {:>8} {:>10} {:>9} {:>9} {:>9} {:>9}\n",
        options.requests, options.prompt_words, options.tokens, options.url, "", "", "", "", "ms to first token",
        "ms for each more", "load", "requests", "refused", "tokens/s", "median", "p99", "median", "p99");
  for (const size_t clients : options.clients)
    if (clients > 0)
      add(fmt::format("{} client{}", clients, clients == 1 ? "" : "s"), closed_load(server, options, clients, first));
  for (const double rate : options.rates)
    if (rate > 0) add(fmt::format("{} requests/s", rate), open_load(server, options, rate, first));
  if (options.json) fmt::print("{}\n", rows.dump(1));
  return 0;
}

}  // namespace cria::bench
