#include "lib/grammar/request_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

class RequestReader {
 public:
  RequestReader(const std::string& file, const Grammar& grammar) : file_(file), grammar_(grammar) {}

  AnsweredRequest read(const nlohmann::json& item) {
    ++number_;
    if (!item.is_object()) fail("is " + shown_json(item) + ", expected an object");
    AnsweredRequest answered{{text(item, "instruction"), {}}, text(item, "output"), std::nullopt};
    if (!item.contains("slots") || !item["slots"].is_object() || item["slots"].empty())
      fail("has no \"slots\", expected an object such as {\"name\": \"Ruby\"}");
    for (const auto& [name, value] : item["slots"].items()) {
      const auto slot = std::ranges::find(grammar_.slots, name, &Slot::name);
      if (slot == grammar_.slots.end())
        fail(fmt::format("asks for {}, which the grammar has no slot for", in_quotes(name)));
      answered.request.asked.push_back(
          {static_cast<std::uint32_t>(slot - grammar_.slots.begin()), text(item["slots"], name)});
    }
    if (item.contains("log2_probability") && item["log2_probability"].is_number())
      answered.log2_probability = item["log2_probability"].get<double>();
    return answered;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw UserError(fmt::format("{}: request {} {}", file_, number_, message));
  }
  std::string text(const nlohmann::json& item, const std::string& key) const {
    if (!item.contains(key) || !item[key].is_string()) fail(fmt::format("has no \"{}\", expected a text", key));
    return item[key];
  }

  const std::string& file_;
  const Grammar& grammar_;
  size_t number_ = 0;
};

}  // namespace

std::string to_json(const Grammar& grammar, const AnsweredRequest& answered) {
  nlohmann::ordered_json item = {{"instruction", answered.request.text}, {"input", ""}, {"output", answered.answer}};
  for (const Asked& one : answered.request.asked) item["slots"][grammar.slots[one.slot].name] = one.value;
  if (answered.log2_probability) item["log2_probability"] = *answered.log2_probability;
  return item.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

RequestTotals write_requests(const RequestSource& source, std::uint64_t seed, size_t count, Combinations combinations,
                             const std::function<void(std::string_view)>& write) {
  Random random(seed);
  RequestTotals totals;
  for (; totals.requests < count; ++totals.requests) {
    RequestedStory drawn = source.draw(random, combinations);
    totals.bits -= drawn.log2_probability;
    totals.bytes += drawn.story.text.size() + 1;
    write(totals.requests == 0 ? "[\n" : ",\n");
    write(to_json(source.grammar(), {std::move(drawn.request), std::move(drawn.story.text), drawn.log2_probability}));
  }
  write(count == 0 ? "[]\n" : "\n]\n");
  return totals;
}

void write_requests(const Grammar& grammar, std::span<const AnsweredRequest> requests,
                    const std::function<void(std::string_view)>& write) {
  for (size_t i = 0; i < requests.size(); ++i) {
    write(i == 0 ? "[\n" : ",\n");
    write(to_json(grammar, requests[i]));
  }
  write(requests.empty() ? "[]\n" : "\n]\n");
}

std::vector<AnsweredRequest> read_requests(const std::filesystem::path& file, const Grammar& grammar) {
  const nlohmann::json list = read_json(file);
  const std::string name = shown_path(file);
  if (!list.is_array() || list.empty())
    throw UserError(fmt::format("{} is {}, expected a list of requests, as `stories --requests` writes it", name,
                                shown_json(list)));
  std::vector<AnsweredRequest> requests;
  RequestReader reader(name, grammar);
  for (const nlohmann::json& item : list) requests.push_back(reader.read(item));
  return requests;
}

}  // namespace cria
