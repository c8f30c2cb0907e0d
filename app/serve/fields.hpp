// Fields: the keys of a request's JSON object. Each is asked for with the type it must have; what nobody has asked for
// in the end might change the answer, and is refused by its name. A key that is null is as if it were not there.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace cria::serve {

class Fields {
 public:
  /// The object must outlive it. `where` stands in front of the keys in messages: "messages[0].". Throws ApiError for
  /// what is no object.
  explicit Fields(const nlohmann::json& object, std::string where = "");

  /// Null where the key is not there.
  const nlohmann::json* find(std::string_view key);
  const nlohmann::json& require(std::string_view key, const char* expected);

  std::optional<bool> boolean(std::string_view key);
  std::optional<double> number(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<std::string> text(std::string_view key);

  /// These say nothing about the answer: any value will do.
  void ignore(std::initializer_list<std::string_view> keys);
  /// Accepted with this value only, which asks for nothing.
  void accept_only(std::string_view key, const nlohmann::json& neutral);
  /// Throws ApiError naming a key that was not asked for.
  void refuse_others() const;

  /// Throws ApiError: "<key> is <value>, expected <what>".
  [[noreturn]] void fail(std::string_view key, const nlohmann::json& value, const std::string& expected) const;

 private:
  const nlohmann::json& object_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace cria::serve
