#include "chapters/11-pretraining/json_keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria {

JsonKeys::JsonKeys(const std::filesystem::path& file) : file_(file.string()) {
  json_ = read_json(file);
  if (!json_.is_object()) fail("this is not a JSON object; the file is damaged");
}

void JsonKeys::fail(const std::string& message) const { throw UserError(fmt::format("{}: {}", file_, message)); }

void JsonKeys::wrong(std::string_view key, std::string_view expected) const {
  fail(fmt::format("{}{} is {}, expected {}", prefix_, key, shown_json(value(key)), expected));
}

bool JsonKeys::has(std::string_view key) const {
  asked_.emplace(key);
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

const JsonKeys::Json& JsonKeys::value(std::string_view key) const {
  if (!has(key)) fail(fmt::format("{}{} is missing", prefix_, key));
  return *json_.find(key);
}

size_t JsonKeys::whole(std::string_view key) const {
  if (!value(key).is_number_integer() || value(key).get<std::int64_t>() < 0) wrong(key, "a whole number");
  return value(key).get<size_t>();
}
size_t JsonKeys::whole(std::string_view key, size_t otherwise) const { return has(key) ? whole(key) : otherwise; }

double JsonKeys::number(std::string_view key, double otherwise) const {
  if (!has(key)) return otherwise;
  if (!value(key).is_number()) wrong(key, "a number");
  return value(key).get<double>();
}

bool JsonKeys::flag(std::string_view key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!value(key).is_boolean()) wrong(key, "true or false");
  return value(key).get<bool>();
}

std::vector<std::int32_t> JsonKeys::tokens(std::string_view key, size_t vocabulary) const {
  std::vector<std::int32_t> ids;
  if (!has(key)) return ids;
  const Json list = value(key).is_array() ? value(key) : Json::array({value(key)});
  for (const Json& id : list) {
    if (!id.is_number_unsigned() || id.get<size_t>() >= vocabulary)
      wrong(key, fmt::format("a token id below vocab_size, which is {}", vocabulary));
    ids.push_back(id.get<std::int32_t>());
  }
  return ids;
}

JsonKeys JsonKeys::object(std::string_view key) const {
  if (has(key) && !value(key).is_object()) wrong(key, "an object or null");
  return {file_, fmt::format("{}{}.", prefix_, key), has(key) ? value(key) : Json::object()};
}

void JsonKeys::expect(std::string_view key, std::initializer_list<Json> values, std::string_view because) const {
  if (!has(key) || std::ranges::find(values, value(key)) != values.end()) return;
  std::vector<std::string> expected;
  for (const Json& one : values) expected.push_back(shown_json(one));
  if (expected.empty()) expected.push_back("null");
  wrong(key, fmt::format("{}{}{}", fmt::join(expected, " or "), because.empty() ? "" : ": ", because));
}

void JsonKeys::refuse_others(std::span<const std::string_view> harmless) const {
  for (const auto& [key, value] : json_.items()) {
    if (value.is_null() || key.starts_with('_') || asked_.contains(key)) continue;
    if (std::ranges::find(harmless, key) != harmless.end()) continue;
    fail(fmt::format("{}{} is {}, a key that cria does not know; remove it if it changes nothing", prefix_, key,
                     shown_json(value)));
  }
}

}  // namespace cria
