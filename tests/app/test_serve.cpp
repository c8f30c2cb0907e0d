// What cria serve reads and writes, without a network: requests, the forms of answers, logarithms, metrics.
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/serve/answer_form.hpp"
#include "app/serve/api_error.hpp"
#include "app/serve/chat_request.hpp"
#include "app/serve/completion_request.hpp"
#include "app/serve/metrics.hpp"
#include "app/serve/service.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::serve;
using namespace cria::testing;

namespace {

ChatRequest chat(const std::string& rest) {
  const std::string start = R"({"messages": [{"role": "user", "content": "Hi"}])";
  return read_chat_request(parse_json(start + rest + "}", "body"), {});
}

CompletionRequest completion(const std::string& keys) {
  return read_completion_request(parse_json("{" + keys + "}", "body"), {}, 10);
}

/// What is said where a request is refused: "param: message".
template <class Read>
std::string complaint(Read read) {
  try {
    read();
  } catch (const ApiError& error) {
    REQUIRE(error.status == 400);
    return error.param + ": " + error.what();
  }
  return "accepted";
}

std::string chat_complaint(const std::string& rest) {
  return complaint([&] { chat(rest); });
}
std::string completion_complaint(const std::string& keys) {
  return complaint([&] { completion(keys); });
}
std::string messages_complaint(const std::string& list) {
  return complaint([&] { serve::read_messages(parse_json(list, "body")); });
}

}  // namespace

TEST_CASE("a request says what it wants") {
  const ChatRequest request = chat(R"(, "model": "m", "temperature": 0.5, "top_p": 0.9, "top_k": 7, "min_p": 0.1,
      "repetition_penalty": 1.5, "seed": -1, "stop": ["a", "b"], "n": 3, "max_tokens": 5, "stream": true,
      "stream_options": {"include_usage": true}, "logprobs": true, "top_logprobs": 4, "response_format": {"type": "text"},
      "user": "me", "metadata": {"a": 1}, "store": false, "presence_penalty": 0.0, "logit_bias": {}, "tools": null)");
  const TextSettings& settings = request.settings;
  CHECK(settings.model == "m");
  CHECK(settings.sampling.temperature == 0.5);
  CHECK(settings.sampling.top_p == 0.9);
  CHECK(settings.sampling.top_k == 7);
  CHECK(settings.sampling.min_p == 0.1);
  CHECK(settings.sampling.repetition_penalty == 1.5);
  CHECK(settings.sampling.seed == ~std::uint64_t{0});
  CHECK(settings.stops == std::vector<std::string>{"a", "b"});
  CHECK(settings.count == 3);
  CHECK(settings.tokens == 5u);
  CHECK(settings.stream);
  CHECK(settings.include_usage);
  CHECK(settings.logprobs == 4u);
  CHECK(chat(R"(, "max_tokens": 5, "max_completion_tokens": 6)").settings.tokens == 6u);
  CHECK_FALSE(chat(R"(, "max_tokens": null)").settings.tokens);
  CHECK(chat(R"(, "stop": "x")").settings.stops == std::vector<std::string>{"x"});
}

TEST_CASE("what a request does not say is as the server has it, with a seed of its own") {
  SamplingOptions defaults;
  defaults.temperature = 0.25;
  const auto body = nlohmann::json::parse(R"({"prompt": "x"})");
  const TextSettings one = read_completion_request(body, defaults, 10).settings;
  CHECK(one.sampling.temperature == 0.25);
  CHECK(one.tokens == usual_completion);
  CHECK(one.sampling.seed != read_completion_request(body, defaults, 10).settings.sampling.seed);
}

TEST_CASE("messages may come in parts, and from a developer") {
  const auto messages = serve::read_messages(nlohmann::json::parse(
      R"([{"role": "developer", "content": "Be kind."},
          {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
          {"role": "assistant", "content": "c", "refusal": null, "annotations": [], "tool_calls": null}])"));
  CHECK(messages == std::vector<Message>{{"system", "Be kind."}, {"user", "ab"}, {"assistant", "c"}});
}

TEST_CASE("prompts are a text, token ids, or a list of these") {
  using Ids = std::vector<TokenId>;
  CHECK(completion(R"("prompt": "a")").prompts == std::vector<Prompt>{"a"});
  CHECK(completion(R"("prompt": [1, 2])").prompts == std::vector<Prompt>{Ids{1, 2}});
  CHECK(completion(R"("prompt": ["a", [3], "b"])").prompts == std::vector<Prompt>{"a", Ids{3}, "b"});
  CHECK(completion(R"("prompt": "a", "echo": true, "max_tokens": 0)").echo);
  CHECK(completion(R"("prompt": "a", "logprobs": 0, "best_of": 1, "suffix": "")").settings.logprobs == 0u);
}

TEST_CASE("a value of another type or out of range is named, with what is expected") {
  CHECK(chat_complaint(R"(, "temperature": "hot")") == R"(temperature: temperature is "hot", expected a number)");
  CHECK(chat_complaint(R"(, "temperature": -1)") ==
        "temperature: temperature is -1, expected 0 (always the likeliest) to 2");
  CHECK(chat_complaint(R"(, "temperature": 1e39)").starts_with("temperature: temperature is 1e+39, expected 0"));
  CHECK(chat_complaint(R"(, "repetition_penalty": 1e-30)") ==
        "repetition_penalty: repetition_penalty is 1e-30, expected 0.1 to 10; 1 is none");
  CHECK(chat_complaint(R"(, "top_p": 0)") == "top_p: top_p is 0, expected more than 0 and at most 1");
  CHECK(chat_complaint(R"(, "n": 0)") == "n: n is 0, expected a whole number from 1 to 128");
  CHECK(chat_complaint(R"(, "n": 1.5)") == "n: n is 1.5, expected a whole number from 1 to 128");
  CHECK(
      chat_complaint(R"(, "seed": 18446744073709551615)").starts_with("seed: seed is 18446744073709551615, expected"));
  CHECK(chat_complaint(R"(, "max_tokens": 0)")
            .starts_with("max_tokens: max_tokens is 0, expected a whole number from 1"));
  CHECK(chat_complaint(R"(, "stop": "")") ==
        "stop: stop is \"\", expected a text of 1 to 1000 bytes, or a list of them");
  CHECK(chat_complaint(R"(, "stop": [1])").starts_with("stop: stop is "));
  CHECK(chat_complaint(R"(, "stream": 1)") == "stream: stream is 1, expected true or false");
  CHECK(chat_complaint(R"(, "stream_options": {})") == "stream_options: stream_options only go with stream: true");
  CHECK(chat_complaint(R"(, "top_logprobs": 2)") == "top_logprobs: top_logprobs only goes with logprobs: true");
  CHECK(chat_complaint(R"(, "logprobs": true, "top_logprobs": 21)").starts_with("top_logprobs: top_logprobs is 21"));
  CHECK(completion_complaint(R"("prompt": [1, 10])") == "prompt: prompt has 10, expected token ids from 0 to 9");
  CHECK(completion_complaint(R"("prompt": [-1])") == "prompt: prompt has -1, expected token ids from 0 to 9");
  CHECK(completion_complaint(R"("prompt": [[]])").starts_with("prompt[0]: prompt[0] is "));
  CHECK(completion_complaint(R"("prompt": [])").starts_with("prompt: prompt is "));
  CHECK(completion_complaint(R"("prompt": {})").starts_with("prompt: prompt is "));
  CHECK(completion_complaint(R"("n": 1)") ==
        "prompt: prompt is missing, expected a text, token ids, or a list of these");
  CHECK(completion_complaint(R"("prompt": ["a", "b"], "n": 65)") == "n: 2 prompts with n = 65 are more than 128 texts");
  CHECK(complaint([] { read_chat_request(nlohmann::json::parse("[]"), {}); }) ==
        ": the body is [], expected an object");
}

TEST_CASE("messages that cannot be shown to a model are named by their place") {
  CHECK(messages_complaint("[]") == "messages: messages is empty or no list, expected at least one message");
  CHECK(messages_complaint("[1]") == ": messages[0] is 1, expected an object");
  CHECK(messages_complaint(R"([{"role": "user"}])").starts_with("messages[0].content: messages[0].content is missing"));
  CHECK(messages_complaint(R"([{"role": "tool", "content": "x"}])")
            .starts_with("messages[0].role: messages[0].role is "));
  CHECK(messages_complaint(R"([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}])")
            .starts_with("messages[0].content[0].type: messages[0].content[0].type is \"image_url\", expected"));
  CHECK(messages_complaint(R"([{"role": "user", "content": "x", "name": "Ann"}])") ==
        "messages[0].name: \"messages[0].name\" is not known here, and might change the answer; leave it out");
}

TEST_CASE("what would change the answer and is not understood is refused by name") {
  for (const std::string key : {"presence_penalty", "frequency_penalty"})
    CHECK(chat_complaint(", \"" + key + "\": 0.5") == key + ": " + key + " is not supported here; leave it out");
  CHECK(chat_complaint(R"(, "logit_bias": {"5": 1})").starts_with("logit_bias: "));
  CHECK(chat_complaint(R"(, "tools": [{}])").starts_with("tools: "));
  CHECK(chat_complaint(R"(, "tool_choice": "required")").starts_with("tool_choice: "));
  CHECK(chat_complaint(R"(, "response_format": {"type": "xml"})").starts_with("response_format.type: "));
  CHECK(chat_complaint(R"(, "response_format": {"type": "json_schema", "json_schema": {"schema": {"format": "uri"}}})")
            .starts_with("response_format.json_schema.schema: schema"));
  const std::string schema = R"({"enum": [")" + std::string(longest_schema, 'x') + R"("]})";
  CHECK(chat_complaint(R"(, "response_format": {"type": "json_schema", "json_schema": {"schema": )" + schema + "}}") ==
        "response_format.json_schema.schema: response_format.json_schema.schema is an object, expected a JSON schema "
        "of at "
        "most 65536 bytes");
  CHECK(chat_complaint(R"(, "reasoning_effort": "low")") ==
        "reasoning_effort: \"reasoning_effort\" is not known here, and might change the answer; leave it out");
  CHECK(completion_complaint(R"("prompt": "a", "suffix": "b")").starts_with("suffix: "));
  CHECK(completion_complaint(R"("prompt": "a", "best_of": 2)").starts_with("best_of: "));
  CHECK(completion_complaint(R"("prompt": "a", "echo": true, "logprobs": 1)").starts_with("logprobs: "));
}

TEST_CASE("logarithms of a distribution worked by hand") {
  // Logits of log 1, 2, 1, 4 are probabilities of 1/8, 1/4, 1/8, 1/2.
  std::vector<real> logits{0, std::log(real(2)), 0, std::log(real(4))};
  const TokenLogprobs token = token_logprobs({logits, {4}}, 2, 3);
  CHECK(difference(token.logprob, std::log(0.125), 4 * epsilon) == "");
  REQUIRE(token.likeliest.size() == 3);
  CHECK(token.likeliest[0].first == 3);
  CHECK(token.likeliest[1].first == 1);
  CHECK(token.likeliest[2].first == 0);  // as likely as 2, and before it
  CHECK(difference(token.likeliest[0].second, std::log(0.5), 4 * epsilon) == "");
  logits[1] = -std::numeric_limits<real>::infinity();
  CHECK(token_logprobs({logits, {4}}, 1, 0).logprob == -9999);
  CHECK(token_logprobs({logits, {4}}, 1, 9).likeliest.size() == 4);
  CHECK_THROWS_AS(token_logprobs({logits, {4}}, 4, 0), ContractError);
}

TEST_CASE("answers have the form that clients expect, whole and in parts") {
  const auto tokenizer = open_own_tokenizer(data_folder() / "model");
  const TokenId token = tokenizer->encode("a").front();
  const TokenLogprobs logprobs{token, -0.5, {{token, -0.5}}};
  AnswerForm form(AnswerForm::Kind::chat, "m", *tokenizer, true, true);
  const std::vector<Choice> choices{{"Hi", {logprobs}, true}, {"Ho", {}, false}};
  Json whole = form.whole(choices, {3, 4});
  const Json id = whole["id"], created = whole["created"];
  CHECK(id.get<std::string>().starts_with("chatcmpl-"));
  whole.erase("id");
  whole.erase("created");
  const std::string entry = R"({"token": "a", "logprob": -0.5, "bytes": [97])";
  const std::string likely = entry + R"(, "top_logprobs": [)" + entry + "}]}";
  CHECK(whole == Json::parse(R"({"object": "chat.completion", "model": "m", "choices": [
      {"index": 0, "message": {"role": "assistant", "content": "Hi", "refusal": null},
       "logprobs": {"content": [)" +
                             likely + R"(], "refusal": null}, "finish_reason": "stop"},
      {"index": 1, "message": {"role": "assistant", "content": "Ho", "refusal": null},
       "logprobs": {"content": [], "refusal": null}, "finish_reason": "length"}],
      "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}})"));

  for (const Json& chunk : {form.first_chunk(0), form.chunk(1, "Hi", {&logprobs, 1}), form.last_chunk(0, true)}) {
    CHECK(chunk["id"] == id);
    CHECK(chunk["created"] == created);
    CHECK(chunk["object"] == "chat.completion.chunk");
    CHECK(chunk["usage"] == nullptr);
  }
  CHECK(form.chunk(1, "Hi", {})["choices"] ==
        Json::parse(R"([{"index": 1, "delta": {"content": "Hi"}, "logprobs": null, "finish_reason": null}])"));
  CHECK(form.last_chunk(0, false)["choices"][0]["finish_reason"] == "length");
  CHECK(form.usage_chunk({1, 2})["choices"] == Json::array());
  CHECK(form.usage_chunk({1, 2})["usage"]["total_tokens"] == 3);
  CHECK(stream_event({{"a", "\xff\n"}}) == "data: {\"a\":\"\xEF\xBF\xBD\\n\"}\n\n");
}

TEST_CASE("completions say where in the text their tokens stand") {
  const auto tokenizer = open_own_tokenizer(data_folder() / "model");
  const std::vector<TokenId> ids = tokenizer->encode("Once ö");
  std::vector<TokenLogprobs> tokens;
  for (const TokenId id : ids) tokens.push_back({id, -1, {}});
  AnswerForm form(AnswerForm::Kind::completion, "m", *tokenizer, true);
  const Json parts = form.chunk(0, "", std::span(tokens).first(1)),
             rest = form.chunk(0, "", std::span(tokens).subspan(1));
  const Json whole = form.whole(std::vector<Choice>{{"", tokens, true}}, {})["choices"][0]["logprobs"];
  CHECK(whole["text_offset"][1] == 4);  // behind "Once"
  CHECK(parts["choices"][0]["logprobs"]["text_offset"][0] == 0);
  CHECK(rest["choices"][0]["logprobs"]["text_offset"][0] == 4);
  CHECK(whole["tokens"].size() == ids.size());
  CHECK(whole["token_logprobs"][0] == -1);
}

TEST_CASE("errors have OpenAI's form") {
  ApiError error(429, "wait", "", "queue_full");
  error.retry_after = 2;
  const http::Response response = error_response(error);
  CHECK(response.status == 429);
  CHECK(Json::parse(response.body) ==
        Json::parse(
            R"({"error": {"message": "wait", "type": "rate_limit_error", "param": null, "code": "queue_full"}})"));
  CHECK(response.headers == std::vector<std::pair<std::string, std::string>>{{"Retry-After", "2"}});
  CHECK(error_form(ApiError(400, "x", "n"))["error"]["param"] == "n");
}

TEST_CASE("keys are equal only where every byte is") {
  CHECK(equal_in_constant_time("secret", "secret"));
  for (const char* guess : {"", "s", "secre", "secreT", "Secret", "secrets", "secretsecret"})
    CHECK_FALSE(equal_in_constant_time(guess, "secret"));
}

TEST_CASE("web pages of others are turned away") {
  const auto status = [](const Access& access, const std::string& host, const std::string& origin = "") {
    http::Request request;
    request.headers = {{"host", host}};
    if (!origin.empty()) request.headers.emplace_back("origin", origin);
    try {
      access.check_page(request);
    } catch (const ApiError& error) {
      return error.status;
    }
    return 200;
  };
  const Access local{"", "", true}, with_key{"secret", "", true}, open{"", "http://a", false}, to_all{"", "*", true};
  for (const char* host : {"localhost", "Localhost:8080", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8080"})
    CHECK(status(local, host) == 200);
  for (const char* host : {"", "a", "a:8080", "127.a", "127.0.0.1.a:80", "localhost.a", "10.0.0.1", "[::2]", "::1"})
    CHECK(status(local, host) == 403);
  CHECK(status(with_key, "a") == 200);
  CHECK(status(open, "a", "http://a") == 200);
  for (const char* origin : {"http://b", "https://a", "http://a:80", "null"}) CHECK(status(open, "a", origin) == 403);
  // Its own page may ask, unless a name may have become its address for that page's sake.
  for (const char* host : {"localhost", "127.0.0.1:8080", "[::1]:8080"})
    CHECK(status(local, host, "http://" + std::string(host)) == 200);
  CHECK(status(local, "localhost", "http://localhost:80") == 403);
  CHECK(status(local, "localhost:8080", "http://127.0.0.1:8080") == 403);
  CHECK(status(local, "a", "http://a") == 403);
  const Access to_network{"", "", false}, to_network_with_key{"secret", "", false};
  CHECK(status(to_network, "10.0.0.1:8080", "http://10.0.0.1:8080") == 200);
  CHECK(status(to_network, "a:8080", "http://a:8080") == 403);
  CHECK(status(to_network, "10.0.0.1.a", "http://10.0.0.1.a") == 403);
  CHECK(status(to_network_with_key, "a", "https://a") == 200);
  CHECK(status(to_network_with_key, "a", "https://b") == 403);
  CHECK(status(to_all, "localhost", "http://b") == 200);
  CHECK(status(to_all, "b", "http://b") == 403);
}

TEST_CASE("a lost part ends what waits for it") {
  Mailbox mailbox;
  mailbox.put({.text_index = 1, .text = "a"});
  mailbox.lose();
  CHECK(mailbox.take(std::chrono::milliseconds(0))->text == "a");
  const std::optional<TextPart> last = mailbox.take(std::chrono::milliseconds(0));
  REQUIRE(last);
  CHECK(last->last);
  CHECK(last->failure == "out of memory");
}

TEST_CASE("metrics count in Prometheus' form") {
  Metrics metrics;
  metrics.count_request("/health", 200);
  metrics.count_request("/health", 200);
  metrics.count_text(3, 4, 0.2);
  metrics.time_to_first_token(0.03);
  metrics.time_to_first_token(1000);
  EngineFigures figures;
  figures.running = 2;
  const std::string text = metrics.text(figures);
  CHECK_THAT(text,
             contains("# TYPE cria_requests_total counter\ncria_requests_total{path=\"/health\",status=\"200\"} 2\n"));
  CHECK_THAT(text, contains("\ncria_texts_running 2\n"));
  CHECK_THAT(text, contains("\ncria_generated_tokens_total 4\n"));
  CHECK_THAT(text,
             contains("seconds_bucket{le=\"0.025\"} 0\ncria_time_to_first_token_seconds_bucket{le=\"0.05\"} 1\n"));
  CHECK_THAT(text, contains("seconds_bucket{le=\"100\"} 1\ncria_time_to_first_token_seconds_bucket{le=\"+Inf\"} 2\n"));
}
