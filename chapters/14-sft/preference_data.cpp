// Chapter 14, reading comparisons of answers.
#include "chapters/14-sft/preference_data.hpp"

#include <fmt/format.h>

#include <cmath>

#include "chapters/14-sft/example_file.hpp"
#include "chapters/14-sft/prompt_data.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

using Json = nlohmann::json;

[[noreturn]] void fail(const std::string& place, const std::string& message) {
  throw UserError(fmt::format("{}: {}", place, message));
}

/// What stands under "chosen" or "rejected": an answer, and the messages before it, if it brings them.
struct Side {
  std::vector<Message> before;
  std::string answer;
};

Side read_side(const Json& example, const char* key, const std::string& place) {
  if (!example.contains(key)) fail(place, fmt::format("has no preference: \"{}\" is missing", key));
  Side side;
  if (example[key].is_string()) {
    side.answer = example[key];
  } else {
    side.before = messages_from_json(example[key], place);
    if (side.before.empty() || side.before.back().role != "assistant")
      fail(place, fmt::format("\"{}\" does not end with an answer", key));
    side.answer = std::move(side.before.back().content);
    side.before.pop_back();
  }
  if (!has_text(side.answer)) fail(place, fmt::format("\"{}\" is an empty answer", key));
  return side;
}

bool same(const std::vector<Message>& a, const std::vector<Message>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Message& x, const Message& y) { return x.role == y.role && x.content == y.content; });
}

Preference read_preference(const Json& example, const std::string& place) {
  Side chosen = read_side(example, "chosen", place), rejected = read_side(example, "rejected", place);
  if (!same(chosen.before, rejected.before)) fail(place, "its answers are not to the same question");
  Preference preference{{}, std::move(chosen.answer), std::move(rejected.answer), 0, place};
  preference.prompt = example_prompt(example, place);
  preference.prompt.insert(preference.prompt.end(), chosen.before.begin(), chosen.before.end());
  if (preference.prompt.empty()) fail(place, "has no question: \"prompt\" is missing");
  if (preference.prompt.back().role != "user") fail(place, "its answers follow no question");
  if (preference.chosen == preference.rejected) fail(place, "both answers are the same, expected one that is better");
  if (example.contains("margin")) {
    if (!example["margin"].is_number())
      fail(place, "\"margin\" is " + shown_json(example["margin"]) + ", expected a number");
    preference.margin = example["margin"];
  }
  return preference;
}

}  // namespace

std::vector<Preference> read_preferences(const Data& data) {
  if (data.files.empty())
    throw UserError(fmt::format("{} have no preferences, expected files of pairs; `pairs` makes one", data.name));
  std::vector<Preference> all;
  for_each_example(
      data, [&](const Json& example, const std::string& place) { all.push_back(read_preference(example, place)); });
  return all;
}

void write_preferences(std::span<const Preference> preferences, const std::function<void(std::string_view)>& write) {
  if (preferences.empty()) write("[");
  const char* before = "[\n";
  for (const Preference& one : preferences) {
    nlohmann::ordered_json object;
    if (one.prompt.size() == 1 && one.prompt[0].role == "user") {
      object["prompt"] = one.prompt[0].content;
    } else {
      object["prompt"] = nlohmann::ordered_json::array();
      for (const Message& message : one.prompt)
        object["prompt"].push_back({{"role", message.role}, {"content", message.content}});
    }
    object["chosen"] = one.chosen;
    object["rejected"] = one.rejected;
    if (one.margin != 0) object["margin"] = one.margin;
    write(before);
    write(object.dump(-1, ' ', false, Json::error_handler_t::replace));
    before = ",\n";
  }
  write("\n]\n");
}

}  // namespace cria
