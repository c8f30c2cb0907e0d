#include "app/serve/look_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "app/look/book_files.hpp"
#include "app/look/encoded.hpp"
#include "app/look/next_data.hpp"
#include "app/look/page_asset.hpp"
#include "app/look/page_data.hpp"
#include "app/look/passage.hpp"
#include "app/look/token_data.hpp"
#include "app/serve/api_error.hpp"
#include "app/serve/body.hpp"
#include "app/serve/fields.hpp"
#include "app/serve/look_chat.hpp"
#include "app/serve/look_next.hpp"
#include "lib/base/check.hpp"

namespace cria::serve {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds patience{200};  // for whoever asks again as soon as an answer is there
constexpr double quick = 2e10;  // operations to switch all heads off; beyond it the page asks for one at a time

/// Bytes that are not UTF-8, of a token's half a character, become U+FFFD. A client may be slow to take it, so the text
/// alone waits for that, and not the values that it was made of.
int respond(http::Exchange& exchange, json value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  value = nullptr;
  exchange.respond({200, std::move(text), "application/json", {{"Cache-Control", "no-store"}}});
  return 200;
}

std::string read_text(Fields& fields) {
  fields.require("text", "a text");
  const std::string text = *fields.text("text");
  if (text.size() > longest_looked)
    throw ApiError(400, fmt::format("text has {} bytes, expected at most {}", text.size(), longest_looked), "text");
  return text;
}

size_t read_index(Fields& fields, const char* key, size_t count) {
  fields.require(key, fmt::format("a whole number from 0 to {}", count - 1).c_str());
  return static_cast<size_t>(*fields.integer(key, 0, std::int64_t(count) - 1));
}

}  // namespace

/// The one pass at a time.
class LookService::Pass {
 public:
  explicit Pass(LookService& service) : service_(service) {
    std::unique_lock lock(service_.mutex_);
    if (!service_.passed_.wait_for(lock, patience, [&] { return !service_.runs_; })) {
      ApiError error(429, "another page looks inside at this moment; try again", "", "look_busy");
      error.retry_after = 1;
      throw error;
    }
    service_.runs_ = true;
  }
  ~Pass() {
    const std::lock_guard lock(service_.mutex_);
    service_.runs_ = false;
    service_.passed_.notify_one();
  }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

 private:
  LookService& service_;
};

struct LookService::Shown {
  look::MergeSteps merges;
  std::optional<look::MergeSteps> second;
};

LookService::LookService(const ServedModel& served, ModelView model, EngineThread& engine, PageOptions options)
    : served_(served), model_(model), engine_(engine), options_(std::move(options)) {}

LookService::~LookService() = default;

const LookService::Shown& LookService::shown() {
  const std::lock_guard lock(mutex_);
  if (!shown_) {
    auto made = std::make_unique<Shown>(Shown{look::MergeSteps(model_.tokenizer->model()), {}});
    if (options_.second) made->second.emplace(options_.second->model());
    shown_ = std::move(made);
  }
  return *shown_;
}

struct LookService::Head {
  std::string text;
  size_t layer = 0, head = 0;
};

std::optional<http::Response> LookService::file(const std::string& path) const {
  // The page is told that it is served, and asks for what it shows.
  if (auto asset = look::page_asset(path, "var lookData = null, lookServer = \"serve\";\n")) return asset;
  return look::book_file(options_.book, path);
}

int LookService::answer(http::Request& request, http::Exchange& exchange, Turns& turns) {
  if (request.path == "/look/model") return respond(exchange, model());
  if (request.path == "/look/steps") return respond(exchange, look_steps(request.query, engine_));
  const auto read = [&](const auto& from) { return read_body(request, exchange, turns, from); };
  if (request.path == "/look/tokens") return respond(exchange, read([&](const Body& body) { return tokens(body); }));
  if (request.path == "/look/chat") {
    const auto conversation = read([&](const Body& body) { return read_look_chat(body, served_); });
    return respond(exchange, look_chat(conversation, served_, engine_));
  }
  if (request.path == "/look/next") {
    TextJob job = read([&](const Body& body) { return next_job(body, served_); });
    return respond(exchange, next_tokens(std::move(job), served_, engine_, exchange));
  }
  const bool one_head = request.path == "/look/head";
  const Head wanted = read([&](const Body& body) {
    Fields fields(body.value);
    Head head{read_text(fields)};
    if (one_head) head.layer = read_index(fields, "layer", model_.config.llama.layers);
    if (one_head) head.head = read_index(fields, "head", model_.config.llama.heads);
    fields.refuse_others();
    return head;
  });
  const Pass pass(*this);  // until the answer is taken, as it is large
  const auto ask = [&] { exchange.require_client(); };
  return respond(exchange, one_head ? head_off(wanted, ask) : inside(wanted.text, ask));
}

std::vector<TokenId> LookService::encode(const std::string& text) const {
  std::vector<TokenId> tokens;
  if (served_.begin) tokens.push_back(*served_.begin);
  try {
    model_.tokenizer->encode(text, SpecialText::plain, tokens);
  } catch (const UserError& error) {
    throw ApiError(400, error.what(), "text");
  }
  return tokens;
}

/// Of a text that a pass can be shown of.
std::vector<TokenId> LookService::passage_of(const std::string& text) const {
  std::vector<TokenId> tokens = encode(text);
  if (tokens.empty()) throw ApiError(400, "text is empty, and this model has no token to begin with", "text");
  try {
    look::check_length(model_.config.llama, tokens.size());
  } catch (const UserError& error) {
    throw ApiError(400, error.what(), "text", "text_too_long");
  }
  return tokens;
}

/// The other tokenizer's view of the text, behind the model's own.
void LookService::add_second(json& tokenizers, const std::string& text) {
  if (!options_.second) return;
  try {
    tokenizers.push_back(
        look::token_data(*options_.second, *shown().second, options_.second_name, options_.second->encode(text)));
  } catch (const UserError&) {  // it has no token for one of the characters: then it does not stand beside
  }
}

/// What the page has to know from the start; `text`: something to begin with.
json LookService::model() const {
  std::string text;
  try {
    const std::string story = look::story_beginning();
    std::vector<TokenId> tokens = encode(story);
    tokens.resize(std::min(tokens.size(), look::most_tokens(model_.config.llama)));
    if (served_.begin) tokens.erase(tokens.begin());
    text = model_.tokenizer->decode(tokens);
  } catch (const std::exception&) {  // the stories are not here, or this tokenizer has no tokens for them
  }
  json lessons;
  if (!options_.lessons.empty())
    lessons = {{"folder", options_.lessons + (options_.lessons.ends_with('/') ? "" : "/")}, {"file", ""}};
  else if (!options_.book.empty())
    lessons = {{"folder", std::string(look::book_path) + "chapters/"}, {"file", "index.html"}};
  return {{"model", served_.name},
          {"text", text},
          {"mostTokens", look::most_tokens(model_.config.llama)},
          {"context", served_.context},
          {"chat", served_.chat_template.has_value()},
          {"whyNoChat", served_.why_no_template},
          {"temperature", served_.sampling.temperature},
          {"lessons", lessons}};
}

json LookService::tokens(const Body& body) {
  Fields fields(body.value);
  const std::string text = read_text(fields);
  fields.refuse_others();
  json list = json::array({look::token_data(*model_.tokenizer, shown().merges, served_.name, encode(text))});
  add_second(list, text);
  return {{"text", look::hexadecimal(text)}, {"tokenizers", std::move(list)}};
}

json LookService::inside(const std::string& text, const look::Ask& ask) {
  json data = look::page_data(model_, shown().merges, served_.name, text, passage_of(text), quick, ask);
  add_second(data["tokenizers"], text);
  return data;
}

json LookService::head_off(const Head& wanted, const look::Ask& ask) const {
  const look::Passage passage(model_.weights, passage_of(wanted.text), ask);
  std::set<TokenId> shown;
  json off = look::head_off_data(passage, wanted.layer, wanted.head, shown);
  return {{"off", std::move(off)}, {"pieces", look::pieces_of(*model_.tokenizer, shown)}};
}

}  // namespace cria::serve
