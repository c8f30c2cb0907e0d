// cria judge --requests: how many of a file's requests were obeyed, and which slots.
#include "app/texts/judge_requests.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/texts/stories.hpp"
#include "lib/base/check.hpp"
#include "lib/grammar/judge_answer.hpp"
#include "lib/grammar/request_file.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

/// How well a set of answers obeys.
struct Obedience {
  struct Share {
    size_t obeyed = 0, asked = 0;
    double value() const { return asked ? double(obeyed) / double(asked) : 0; }
  };
  size_t answers = 0, parsed = 0;
  Share slots, whole;
  std::map<std::string, Share> by_slot;
  std::map<size_t, Share> by_count;  // whole requests, by the number of slots asked for
};

Json share_json(const Obedience::Share& share) {
  return {{"obeyed", share.obeyed}, {"asked", share.asked}, {"share", share.value()}};
}

/// What an answer obeys, by the names of the slots that were asked for.
struct Judged {
  AnswerJudgement answer;
  std::vector<std::pair<std::string, bool>> slots;
};

std::vector<Judged> judge_all(const Parser& parser, std::span<const AnsweredRequest> answered) {
  std::vector<Judged> all;
  for (const AnsweredRequest& one : answered) {
    Judged& judged = all.emplace_back(Judged{judge_answer(parser, one.request.asked, one.answer), {}});
    for (size_t i = 0; i < judged.answer.obeyed.size(); ++i)
      judged.slots.emplace_back(parser.grammar().slots[one.request.asked[i].slot].name, judged.answer.obeyed[i]);
  }
  return all;
}

Obedience measure_obedience(std::span<const Judged> all) {
  Obedience total;
  total.answers = all.size();
  const auto count = [](Obedience::Share& share, bool obeyed) { ++share.asked, share.obeyed += obeyed; };
  for (const auto& [answer, slots] : all) {
    total.parsed += answer.parses;
    count(total.whole, answer.all());
    count(total.by_count[slots.size()], answer.all());
    for (const auto& [name, obeyed] : slots) {
      count(total.slots, obeyed);
      count(total.by_slot[name], obeyed);
    }
  }
  return total;
}

Json answers_json(std::span<const Judged> all) {
  Json list = Json::array();
  for (const auto& [answer, obeyed] : all) {
    Json slots = Json::object();
    for (const auto& [name, value] : obeyed) slots[name] = value;
    list.push_back({{"parses", answer.parses}, {"slots", slots}, {"all", answer.all()}});
  }
  return list;
}

void print_share(const std::string& name, const Obedience::Share& share) {
  fmt::print("{:<12} {} of {}, {:.1f} %\n", name, share.obeyed, share.asked, 100 * share.value());
}

}  // namespace

int run_judge_requests(const JudgeOptions& options) {
  const Grammar grammar = Grammar::load(grammar_file(options.grammar, true));
  const Parser parser(grammar);
  const std::vector<Judged> all = judge_all(parser, read_requests(options.file, grammar));
  const Obedience total = measure_obedience(all);
  if (options.json) {
    Json report = {{"requests", total.answers},
                   {"parsed", total.parsed},
                   {"whole", share_json(total.whole)},
                   {"slots", share_json(total.slots)}};
    for (const auto& [slot, share] : total.by_slot) report["by_slot"][slot] = share_json(share);
    report["answers"] = answers_json(all);
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
