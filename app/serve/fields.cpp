#include "app/serve/fields.hpp"

#include <fmt/format.h>

#include "app/serve/api_error.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria::serve {

Fields::Fields(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (object.is_object()) return;
  const std::string what = where_.empty() ? "the body" : where_.substr(0, where_.size() - 1);
  throw ApiError(400, fmt::format("{} is {}, expected an object", what, shown_json(object)));
}

const nlohmann::json* Fields::find(std::string_view key) {
  known_.emplace(key);
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

const nlohmann::json& Fields::require(std::string_view key, const char* expected) {
  if (const nlohmann::json* value = find(key)) return *value;
  throw ApiError(400, fmt::format("{}{} is missing, expected {}", where_, key, expected), where_ + std::string(key));
}

void Fields::fail(std::string_view key, const nlohmann::json& value, const std::string& expected) const {
  throw ApiError(400, fmt::format("{}{} is {}, expected {}", where_, key, shown_json(value), expected),
                 where_ + std::string(key));
}

std::optional<bool> Fields::boolean(std::string_view key) {
  const nlohmann::json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) fail(key, *value, "true or false");
  return value->get<bool>();
}

std::optional<double> Fields::number(std::string_view key) {
  const nlohmann::json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_number()) fail(key, *value, "a number");
  return value->get<double>();
}

std::optional<std::int64_t> Fields::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const nlohmann::json* value = find(key);
  if (!value) return std::nullopt;
  const std::string expected = fmt::format("a whole number from {} to {}", least, most);
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<std::uint64_t>() <= std::uint64_t(INT64_MAX)) &&
                    value->get<std::int64_t>() >= least && value->get<std::int64_t>() <= most;
  if (!fits) fail(key, *value, expected);
  return value->get<std::int64_t>();
}

std::optional<std::string> Fields::text(std::string_view key) {
  const nlohmann::json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_string()) fail(key, *value, "a text");
  return value->get<std::string>();
}

void Fields::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) known_.emplace(key);
}

void Fields::accept_only(std::string_view key, const nlohmann::json& neutral) {
  const nlohmann::json* value = find(key);
  if (value && *value != neutral)
    throw ApiError(400, fmt::format("{}{} is not supported here; leave it out", where_, key), where_ + std::string(key),
                   "unsupported_parameter");
}

void Fields::refuse_others() const {
  for (const auto& [key, value] : object_.items())
    if (!known_.contains(key) && !value.is_null())
      throw ApiError(
          400, fmt::format("{} is not known here, and might change the answer; leave it out", in_quotes(where_ + key)),
          where_ + key, "unsupported_parameter");
}

}  // namespace cria::serve
