// Chapter 14, files of examples.
#include "chapters/14-sft/example_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

using Json = nlohmann::json;
using Visit = std::function<void(const Json&, const std::string&)>;

constexpr const char* white_space = " \t\r\n";

void for_each_in_text(std::string_view text, const std::string& name, const Visit& visit) {
  const size_t first = text.find_first_not_of(white_space);
  if (first == text.npos) throw UserError(name + " is empty, expected examples");
  size_t count = 0;
  const auto add = [&](const Json& example) {
    const std::string place = fmt::format("{}, example {}", name, ++count);
    if (!example.is_object()) throw UserError(fmt::format("{}: is {}, expected an object", place, shown_json(example)));
    visit(example, place);
  };
  if (text[first] == '[') {
    for (const Json& example : parse_json(text, name)) add(example);
  } else {
    size_t number = 1;
    for (size_t begin = 0; begin < text.size(); ++number) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view line = text.substr(begin, end - begin);
      if (line.find_first_not_of(white_space) != line.npos)
        add(parse_json(line, fmt::format("{}, line {}", name, number)));
      begin = end + 1;
    }
  }
}

}  // namespace

void for_each_example(const Data& data, const Visit& visit) {
  for (size_t i = 0; i < data.files.size(); ++i)
    for_each_in_text(data.files[i].text(),
                     data.files.size() == 1 ? data.name : fmt::format("{}, file {}", data.name, i + 1), visit);
}

std::string example_text(const Json& example, const char* key, const std::string& place) {
  if (!example.contains(key)) throw UserError(fmt::format("{}: lacks \"{}\"", place, key));
  const Json& value = example[key];
  if (!value.is_string())
    throw UserError(fmt::format("{}: \"{}\" is {}, expected a text", place, key, shown_json(value)));
  return value;
}

bool has_text(const std::string& text) { return text.find_first_not_of(white_space) != std::string::npos; }

}  // namespace cria
