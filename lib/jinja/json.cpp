// JSON as Python's json.dumps writes it, which is what transformers gives to templates as `tojson`.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/jinja/print.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Budget& budget) : style_(style), budget_(budget) {}

  std::string run(const Value& value) {
    write(value);
    return std::move(out_);
  }

 private:
  void write(const Value& value) {
    budget_.step();
    if (out_.size() > longest_text) throw Failure(fmt::format("a text grows beyond {} bytes", longest_text));
    if (const std::string* text = value.as_text()) {
      write_text(*text);
    } else if (const bool* boolean = std::get_if<bool>(&value.data)) {
      out_ += *boolean ? "true" : "false";
    } else if (value.is_none()) {
      out_ += "null";
    } else if (const std::int64_t* integer = value.as_integer()) {
      out_ += std::to_string(*integer);
    } else if (const double* number = std::get_if<double>(&value.data)) {
      out_ += std::isnan(*number)   ? "NaN"
              : std::isinf(*number) ? *number > 0 ? "Infinity" : "-Infinity"
                                    : represent(*number);
    } else if (const Sequence* list = value.as_sequence(); list && list->kind <= Sequence::Kind::tuple) {
      write_all('[', list->items, ']', [this](const Value& item) { write(item); });
    } else if (const Dict* dict = value.as_dict()) {
      auto entries = dict->entries;
      budget_.make(entries.size() * 2 * sizeof(Value));
      if (style_.sort_keys)
        std::ranges::stable_sort(entries,
                                 [this](const auto& a, const auto& b) { return less(a.first, b.first, budget_); });
      write_all('{', entries, '}', [this](const auto& entry) {
        write_key(entry.first);
        out_ += style_.key_separator;
        write(entry.second);
      });
    } else {
      throw Failure(fmt::format("Object of type {} is not JSON serializable", type_name(value)));
    }
  }

  template <class Items, class Write>
  void write_all(char opening, const Items& items, char closing, Write write_one) {
    out_ += opening;
    if (items.empty()) {
      out_ += closing;
      return;
    }
    ++level_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line();
      write_one(items[i]);
    }
    --level_;
    new_line();
    out_ += closing;
  }

  void new_line() {
    if (!style_.indent) return;
    budget_.make_text(level_ * style_.indent->size());
    out_ += '\n';
    for (std::size_t i = 0; i < level_; ++i) out_ += *style_.indent;
  }

  void write_key(const Value& key) {
    if (key.as_text()) return write(key);
    if (key.as_sequence() || key.is_undefined())
      throw Failure(fmt::format("keys must be str, int, float, bool or None, not {}", type_name(key)));
    out_ += '"';
    write(key);
    out_ += '"';
  }

  void write_text(const std::string& text) {
    budget_.read(4 * text.size());
    out_ += '"';
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view character = character_at(text, at);
      at += character.size();
      static constexpr std::string_view special = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
      if (const std::size_t known = special.find(character[0]); known != special.npos) {
        out_ += '\\';
        out_ += letters[known];
      } else if (static_cast<unsigned char>(character[0]) < 0x20) {
        out_ += fmt::format("\\u{:04x}", static_cast<unsigned char>(character[0]));
      } else if (style_.ascii && static_cast<unsigned char>(character[0]) >= 0x80) {
        const std::uint32_t c = code_point_of(character);
        out_ += c < 0x10000 ? fmt::format("\\u{:04x}", c)
                            : fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + (c & 0x3FF));
      } else {
        out_ += character;
      }
    }
    out_ += '"';
  }

  const JsonStyle& style_;
  Budget& budget_;
  std::string out_;
  std::size_t level_ = 0;
};

}  // namespace

std::string to_json(const Value& value, const JsonStyle& style, Budget& budget) {
  return JsonWriter(style, budget).run(value);
}

}  // namespace cria::jinja
