#include "app/serve/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cria::serve {
namespace {

void write_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void write_number(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                  std::uint64_t value) {
  write_head(out, name, type, help);
  out += fmt::format("{} {}\n", name, value);
}

}  // namespace

void Histogram::add(double seconds) {
  ++counts_[static_cast<size_t>(std::ranges::lower_bound(bounds, seconds) - bounds.begin())];
  ++count_;
  sum_ += seconds;
}

void Histogram::write(std::string& out, std::string_view name, std::string_view help) const {
  write_head(out, name, "histogram", help);
  std::uint64_t so_far = 0;
  for (size_t i = 0; i < bounds.size(); ++i)
    out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bounds[i], so_far += counts_[i]);
  out += fmt::format("{}_bucket{{le=\"+Inf\"}} {}\n{}_sum {}\n{}_count {}\n", name, count_, name, sum_, name, count_);
}

void Metrics::count_request(std::string_view path, int status) {
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(path), status}];
}

void Metrics::count_text(size_t prompt_tokens, size_t tokens, double seconds) {
  const std::lock_guard lock(mutex_);
  prompt_tokens_ += prompt_tokens;
  tokens_ += tokens;
  ++texts_;
  whole_.add(seconds);
}

void Metrics::count_cancelled() {
  const std::lock_guard lock(mutex_);
  ++cancelled_;
}

void Metrics::time_to_first_token(double seconds) {
  const std::lock_guard lock(mutex_);
  first_token_.add(seconds);
}

void Metrics::time_per_token(double seconds) {
  const std::lock_guard lock(mutex_);
  per_token_.add(seconds);
}

std::string Metrics::text(const EngineFigures& engine) const {
  const std::lock_guard lock(mutex_);
  std::string out;
  write_head(out, "cria_requests_total", "counter", "Requests that were answered, by path and status.");
  for (const auto& [key, count] : requests_)
    out += fmt::format("cria_requests_total{{path=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, count);
  write_number(out, "cria_texts_total", "counter", "Texts that were written to their end.", texts_);
  write_number(out, "cria_texts_cancelled_total", "counter", "Texts whose client had left.", cancelled_);
  write_number(out, "cria_prompt_tokens_total", "counter", "Tokens of the prompts of these texts.", prompt_tokens_);
  write_number(out, "cria_generated_tokens_total", "counter", "Tokens of these texts.", tokens_);
  write_number(out, "cria_texts_running", "gauge", "Texts that have a place.", engine.running);
  write_number(out, "cria_texts_waiting", "gauge", "Texts that wait for one.", engine.waiting);
  write_number(out, "cria_cache_blocks", "gauge", "Blocks of the cache.", engine.blocks);
  write_number(out, "cria_cache_blocks_used", "gauge", "Blocks that running texts have.", engine.blocks_used);
  write_number(out, "cria_cache_blocks_shared", "gauge", "Of these, those that several texts have.",
               engine.blocks_shared);
  write_number(out, "cria_passes_total", "counter", "Passes through the model.", engine.passes);
  write_number(out, "cria_prefix_tokens_total", "counter", "Prompt tokens that the cache had already.",
               engine.tokens_from_prefix);
  write_number(out, "cria_preemptions_total", "counter", "Texts that had to give their blocks back for a while.",
               engine.preemptions);
  first_token_.write(out, "cria_time_to_first_token_seconds", "From the request to a text's first token.");
  per_token_.write(out, "cria_time_per_token_seconds", "Between two tokens, the mean of a text.");
  whole_.write(out, "cria_text_seconds", "From the request to a text's end.");
  return out;
}

}  // namespace cria::serve
