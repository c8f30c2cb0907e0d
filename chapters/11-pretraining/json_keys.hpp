// JsonKeys: a JSON file read key by key. Whatever is wrong is said with the file and the key, and keys that nobody
// asked for are refused: one of them might change what a model computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

class JsonKeys {
 public:
  using Json = nlohmann::json;

  /// Throws UserError when the file cannot be read or holds no JSON object.
  explicit JsonKeys(const std::filesystem::path& file);

  [[noreturn]] void fail(const std::string& message) const;

  /// A key that is null counts as absent.
  bool has(std::string_view key) const;
  /// The value under a key that is there.
  const Json& value(std::string_view key) const;
  size_t whole(std::string_view key) const;
  size_t whole(std::string_view key, size_t otherwise) const;
  double number(std::string_view key, double otherwise) const;
  bool flag(std::string_view key, bool otherwise) const;
  /// A token id or a list of them, each below `vocabulary`; none where the key is absent.
  std::vector<std::int32_t> tokens(std::string_view key, size_t vocabulary) const;
  /// The object under a key, whose own keys are then called "key.…"; an empty one where the key is absent.
  JsonKeys object(std::string_view key) const;

  /// An absent key passes. A value that is none of these is something that cria does not compute; `because` says what.
  void expect(std::string_view key, std::initializer_list<Json> values, std::string_view because = "") const;

  /// Refuses each key that was not asked for, is not null and not among those known to make no difference. Names that
  /// begin with an underscore are the writer's own notes.
  void refuse_others(std::span<const std::string_view> harmless = {}) const;

 private:
  JsonKeys(std::string file, std::string prefix, Json json)
      : file_(std::move(file)), prefix_(std::move(prefix)), json_(std::move(json)) {}
  [[noreturn]] void wrong(std::string_view key, std::string_view expected) const;

  std::string file_, prefix_;
  Json json_;
  mutable std::set<std::string, std::less<>> asked_;
};

}  // namespace cria
