// Builds the value from the parser's events. nlohmann's own builders keep the last of two equal keys and end at a zero
// byte, and the one that can be watched takes time that grows as the square of an object's size.
#include "lib/formats/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

constexpr size_t deepest = 64;  // the destructor, copies and comparisons recurse
// The largest tokenizer.json that is known has 33.4 million bytes. The parser keeps up to three copies of a text in
// buffers that double: a little more than this power of two would take twice the memory.
constexpr size_t longest_text = 32 << 20;
constexpr size_t most_memory = 200 << 20;  // "[]," are 3 bytes, and 72 as values

template <class Json>
class Builder : public Json::json_sax_t {
 public:
  explicit Builder(const std::string& what) : what_(what) {}
  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(typename Json::number_integer_t value) override { return put(value); }
  bool number_unsigned(typename Json::number_unsigned_t value) override { return put(value); }
  bool number_float(typename Json::number_float_t value, const std::string&) override { return put(value); }
  bool string(std::string& value) override {
    spend(sizeof value + 16 + value.size());
    return put(std::move(value));
  }
  bool binary(typename Json::binary_t&) override { return false; }  // is not in JSON

  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    spend(sizeof(typename Json::object_t::value_type) + 52 + name.size());  // a node of a tree
    const auto [member, is_new] = open_.back()->template get_ref<typename Json::object_t&>().emplace(name, nullptr);
    if (!is_new) throw UserError(fmt::format("{} has {} twice", what_, in_quotes(name)));
    member_ = &member->second;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    throw UserError(fmt::format("{} is not valid JSON at byte {}", what_, position));
  }

 private:
  /// Puts the value where the parser is: at the end of an array, under the last key of an object, or at the root.
  bool put(Json value) {
    place(std::move(value));
    return true;
  }
  Json& place(Json value) {
    spend(3 * sizeof value);  // a list has room for twice its values, and its end moves them once more
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_object()) return *member_ = std::move(value);
    return open_.back()->template get_ref<typename Json::array_t&>().emplace_back(std::move(value));
  }
  bool open(Json container) {
    if (open_.size() == deepest) throw UserError(fmt::format("{} is nested too deeply", what_));
    spend(sizeof(typename Json::object_t));
    open_.push_back(&place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  /// Counts about what a value takes of memory.
  void spend(size_t bytes) {
    if ((spent_ += bytes) > most_memory) throw UserError(fmt::format("{} has too many values", what_));
  }

  const std::string& what_;
  Json root_;
  std::vector<Json*> open_;  // from the root inwards; nothing is added to one while another is open in it
  Json* member_ = nullptr;   // under the last key
  size_t spent_ = 0;
};

template <class Json>
Json parse(std::string_view text, const std::string& what) {
  if (text.size() > longest_text)
    throw UserError(fmt::format("{} is too long: expected at most {} bytes", what, longest_text));
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos)
    throw UserError(fmt::format("{} is not valid JSON at byte {}", what, zero + 1));
  Builder<Json> builder(what);
  Json::sax_parse(text, &builder);
  return builder.take();
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& what) { return parse<nlohmann::json>(text, what); }

nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::string& what) {
  return parse<nlohmann::ordered_json>(text, what);
}

nlohmann::json read_json(const std::filesystem::path& file) {
  return parse_json(MappedFile(file, longest_text).text(), shown_path(file));
}

std::string shown_json(const nlohmann::json& value) {
  constexpr size_t most_entries = 8, most_characters = 60;
  if (value.is_object()) return "an object";
  if (value.is_array() && (value.size() > most_entries || std::ranges::any_of(value, [](const nlohmann::json& entry) {
                             return entry.is_structured();
                           })))
    return fmt::format("a list of {}", value.size());
  const std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() <= most_characters ? text : text.substr(0, most_characters) + "…";
}

}  // namespace cria
