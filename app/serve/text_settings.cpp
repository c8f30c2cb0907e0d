#include "app/serve/text_settings.hpp"

#include <fmt/format.h>

#include <cmath>
#include <random>

#include "app/serve/api_error.hpp"
#include "chapters/22-serving/json_schema.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria::serve {
namespace {

double within(Fields& fields, const char* key, double otherwise, bool (*valid)(double), const char* expected) {
  const std::optional<double> value = fields.number(key);
  if (value && !(std::isfinite(*value) && valid(*value))) fields.fail(key, *fields.find(key), expected);
  return value.value_or(otherwise);
}

SamplingOptions read_sampling(Fields& fields, const SamplingOptions& defaults) {
  SamplingOptions sampling = defaults;
  sampling.temperature = within(
      fields, "temperature", defaults.temperature, [](double x) { return x >= 0 && x <= 2; },
      "0 (always the likeliest) to 2");
  sampling.top_p = within(
      fields, "top_p", defaults.top_p, [](double x) { return x > 0 && x <= 1; }, "more than 0 and at most 1");
  sampling.min_p = within(
      fields, "min_p", defaults.min_p, [](double x) { return x >= 0 && x <= 1; }, "0 to 1");
  sampling.repetition_penalty = within(
      fields, "repetition_penalty", defaults.repetition_penalty, [](double x) { return x >= 0.1 && x <= 10; },
      "0.1 to 10; 1 is none");
  sampling.top_k = static_cast<std::int32_t>(fields.integer("top_k", 0, INT32_MAX).value_or(defaults.top_k));
  std::random_device device;
  const std::uint64_t drawn = std::uint64_t{device()} << 32 | device();
  const std::optional<std::int64_t> seed = fields.integer("seed", INT64_MIN, INT64_MAX);
  sampling.seed = seed ? static_cast<std::uint64_t>(*seed) : drawn;
  sampling.raw_seed = false;
  return sampling;
}

std::vector<std::string> read_stops(Fields& fields) {
  const nlohmann::json* value = fields.find("stop");
  std::vector<std::string> stops;
  if (!value) return stops;
  const auto take = [&](const nlohmann::json& one) {
    if (!one.is_string() || one.get_ref<const std::string&>().empty() ||
        one.get_ref<const std::string&>().size() > longest_stop)
      fields.fail("stop", *value, fmt::format("a text of 1 to {} bytes, or a list of them", longest_stop));
    stops.push_back(one);
  };
  if (!value->is_array()) return take(*value), stops;
  if (value->size() > most_stops) fields.fail("stop", *value, fmt::format("at most {} texts", most_stops));
  for (const nlohmann::json& one : *value) take(one);
  return stops;
}

void read_stream(Fields& fields, TextSettings& settings) {
  settings.stream = fields.boolean("stream").value_or(false);
  const nlohmann::json* value = fields.find("stream_options");
  if (!value) return;
  if (!settings.stream) throw ApiError(400, "stream_options only go with stream: true", "stream_options");
  Fields options(*value, "stream_options.");
  settings.include_usage = options.boolean("include_usage").value_or(false);
  options.ignore({"include_obfuscation"});  // padding against who counts bytes on the way
  options.refuse_others();
}

}  // namespace

TextSettings read_text_settings(Fields& fields, const SamplingOptions& defaults, std::string_view body) {
  TextSettings settings;
  settings.model = fields.text("model").value_or("");
  settings.sampling = read_sampling(fields, defaults);
  settings.stops = read_stops(fields);
  settings.count = static_cast<size_t>(fields.integer("n", 1, most_texts).value_or(1));
  read_stream(fields, settings);
  settings.format = read_response_format(fields, body);
  fields.ignore(
      {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"});
  fields.accept_only("presence_penalty", 0);
  fields.accept_only("frequency_penalty", 0);
  fields.accept_only("logit_bias", nlohmann::json::object());
  return settings;
}

std::optional<ByteGrammar> read_response_format(Fields& fields, std::string_view body) {
  const nlohmann::json* value = fields.find("response_format");
  if (!value) return std::nullopt;
  Fields format(*value, "response_format.");
  const nlohmann::json& type = format.require("type", "\"text\", \"json_object\" or \"json_schema\"");
  if (type != "json_schema") {
    format.refuse_others();
    if (type == "text") return std::nullopt;
    if (type == "json_object") return object_grammar();
    format.fail("type", type, "\"text\", \"json_object\" or \"json_schema\"");
  }
  const nlohmann::json& named = format.require("json_schema", "an object with a schema");
  Fields described(named, "response_format.json_schema.");
  const nlohmann::json& sorted = described.require("schema", "a JSON schema");
  described.ignore({"name", "description", "strict"});
  described.refuse_others();
  format.refuse_others();
  // What a schema allows is kept as a grammar, of many times its size.
  if (sorted.dump().size() > longest_schema)
    described.fail("schema", sorted, fmt::format("a JSON schema of at most {} bytes", longest_schema));
  try {
    // Reading a text in order takes time that grows as the square: a long one's properties are those of the alphabet.
    constexpr size_t longest_in_order = 64 << 10;
    if (body.empty() || body.size() > longest_in_order) return parse_schema(sorted.dump(), "schema");
    const nlohmann::ordered_json whole = parse_ordered_json(body, "the body");
    return schema_grammar(whole.at("response_format").at("json_schema").at("schema"), "schema");
  } catch (const UserError& error) {
    throw ApiError(400, error.what(), "response_format.json_schema.schema");
  }
}

}  // namespace cria::serve
