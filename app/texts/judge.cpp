// cria judge: how many of a file's stories the grammar allows, and what is wrong with the others.
#include "app/texts/judge.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/texts/judge_requests.hpp"
#include "app/texts/stories.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/judge.hpp"

namespace cria {

int run_judge(const JudgeOptions& options) {
  if (options.requests) return run_judge_requests(options);
  const Grammar grammar = open_grammar(options.grammar);
  if (options.separator.empty()) throw UserError("--separator is empty, expected what stands between two stories");
  const std::string text = read_file(options.file);
  const Judgement judgement = judge(grammar, split_stories(text, options.separator), options.faults);
  if (judgement.stories == 0) throw UserError(options.file + " has no stories, expected one a line");

  if (options.json) {
    nlohmann::ordered_json report;
    report["sentences"] = judgement.sentences;
    report["sentences_allowed"] = judgement.sentences_allowed;
    report["sentence_share"] = judgement.sentence_share();
    report["stories"] = judgement.stories;
    report["stories_right"] = judgement.stories_right;
    report["story_share"] = judgement.story_share();
    report["floor"] = judgement.floor() ? nlohmann::ordered_json(*judgement.floor()) : nullptr;
    report["faults"] = nlohmann::ordered_json::array();
    for (const Fault& f : judgement.faults)
      report["faults"].push_back(
          {{"story", f.story}, {"sentence", f.sentence}, {"text", f.text}, {"reason", f.reason}});
    // Samples may hold any bytes; JSON may not.
    fmt::print("{}\n", report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return 0;
  }
  fmt::print("sentences  {} of {} allowed, {:.1f} %\n", judgement.sentences_allowed, judgement.sentences,
             100 * judgement.sentence_share());
  fmt::print("stories    {} of {} right, {:.1f} %\n", judgement.stories_right, judgement.stories,
             100 * judgement.story_share());
  if (judgement.floor())
    fmt::print("floor      {:.4f} bits per byte, of the stories that are right\n", *judgement.floor());
  for (const Fault& fault : judgement.faults)
    fmt::print("\nstory {}, sentence {}: {}\n  {}\n", fault.story, fault.sentence, one_line(fault.text),
               one_line(fault.reason));
  return 0;
}

}  // namespace cria
