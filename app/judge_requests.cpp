// cria judge --requests: how many of a file's requests were obeyed, and which slots.
#include "app/judge_requests.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/stories.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

Json share_json(const Obedience::Share& share) {
  return {{"obeyed", share.obeyed}, {"asked", share.asked}, {"share", share.value()}};
}

Json answers_json(const Parser& parser, std::span<const AnsweredRequest> answered) {
  Json list = Json::array();
  for (const AnsweredRequest& one : answered) {
    const AnswerJudgement judged = judge_answer(parser, one.request.asked, one.answer);
    Json slots = Json::object();
    for (size_t i = 0; i < judged.obeyed.size(); ++i)
      slots[parser.grammar().slots[one.request.asked[i].slot].name] = bool(judged.obeyed[i]);
    list.push_back({{"parses", judged.parses}, {"slots", slots}, {"all", judged.all()}});
  }
  return list;
}

void print_share(const std::string& name, const Obedience::Share& share) {
  fmt::print("{:<12} {} of {}, {:.1f} %\n", name, share.obeyed, share.asked, 100 * share.value());
}

}  // namespace

Obedience measure_obedience(const Parser& parser, std::span<const AnsweredRequest> answered) {
  Obedience total;
  const auto count = [](Obedience::Share& share, bool obeyed) { ++share.asked, share.obeyed += obeyed; };
  for (const AnsweredRequest& one : answered) {
    const AnswerJudgement judged = judge_answer(parser, one.request.asked, one.answer);
    ++total.answers;
    total.parsed += judged.parses;
    count(total.whole, judged.all());
    count(total.by_count[judged.obeyed.size()], judged.all());
    for (size_t i = 0; i < judged.obeyed.size(); ++i) {
      count(total.slots, judged.obeyed[i]);
      count(total.by_slot[parser.grammar().slots[one.request.asked[i].slot].name], judged.obeyed[i]);
    }
  }
  return total;
}

int run_judge_requests(const JudgeOptions& options) {
  const Grammar grammar = Grammar::load(grammar_file(options.grammar, true));
  const Parser parser(grammar);
  const std::vector<AnsweredRequest> answered = read_requests(options.file, grammar);
  const Obedience total = measure_obedience(parser, answered);
  if (options.json) {
    Json report = {{"requests", total.answers},
                   {"parsed", total.parsed},
                   {"whole", share_json(total.whole)},
                   {"slots", share_json(total.slots)}};
    for (const auto& [slot, share] : total.by_slot) report["by_slot"][slot] = share_json(share);
    report["answers"] = answers_json(parser, answered);
    fmt::print("{}\n", report.dump(-1, ' ', false, Json::error_handler_t::replace));
    return 0;
  }
  print_share("stories", {total.parsed, total.answers});
  print_share("slots", total.slots);
  for (const auto& [slot, share] : total.by_slot) print_share("  " + slot, share);
  print_share("requests", total.whole);
  for (const auto& [slots, share] : total.by_count) print_share(fmt::format("  of {}", slots), share);
  return 0;
}

}  // namespace cria
