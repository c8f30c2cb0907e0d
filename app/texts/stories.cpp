// cria stories: writes stories, or says how many there are and how much there is to know in one.
#include "app/texts/stories.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/output.hpp"
#include "app/texts/dialogues.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/generate.hpp"
#include "lib/grammar/request_file.hpp"
#include "lib/grammar/statistics.hpp"
#include "lib/grammar/zipf.hpp"

namespace cria {
namespace {

void print_statistics(const GrammarStatistics& s, bool json) {
  if (json) {
    nlohmann::ordered_json report;
    report["words"] = s.words;
    report["sentence_forms"] = s.sentence_forms;
    report["rules"] = s.rules;
    report["lists"] = s.threads;
    report["stories_log10"] = s.stories_log10;
    report["sentences_per_story"] = s.sentences_per_story;
    report["bytes_per_story"] = s.bytes_per_story;
    report["bits_per_story"] = s.bits_per_story;
    report["floor"] = s.floor();
    fmt::print("{}\n", report.dump());
    return;
  }
  fmt::print("words                {}\n", s.words);
  fmt::print("sentence forms       {}\n", s.sentence_forms);
  fmt::print("rules                {}\n", s.rules);
  fmt::print("lists                {}\n", s.threads);
  fmt::print("different stories    10^{:.1f}\n", s.stories_log10);
  fmt::print("sentences per story  {:.2f}\n", s.sentences_per_story);
  fmt::print("bytes per story      {:.1f}\n", s.bytes_per_story);
  fmt::print("bits per story       {:.2f}\n", s.bits_per_story);
  fmt::print("floor                {:.4f} bits per byte\n", s.floor());
}

int run_requests(const StoriesOptions& options, const Grammar& grammar) {
  const RequestSource source(grammar);
  const Combinations combinations = options.held_out ? Combinations::held_out : Combinations::trained;
  if (options.out.empty()) {
    write_requests(source, options.seed, options.count, combinations, print_bytes);
    return 0;
  }
  RequestTotals totals;
  write_file_atomically(options.out, [&](const WriteBytes& write) {
    totals = write_requests(source, options.seed, options.count, combinations, write);
  });
  if (options.json) {
    const nlohmann::ordered_json report = {
        {"requests", totals.requests}, {"bytes", totals.bytes}, {"bits", totals.bits}, {"floor", totals.floor()}};
    fmt::print("{}\n", report.dump());
  } else {
    fmt::print("{}: {} requests, {} bytes of answers, floor {:.4f} bits per byte\n", options.out, totals.requests,
               totals.bytes, totals.floor());
  }
  return 0;
}

}  // namespace

Grammar open_grammar(const std::string& chosen, bool requests) {
  return chosen == "zipf" ? zipf_grammar() : Grammar::load(grammar_file(chosen, requests));
}

std::filesystem::path grammar_file(const std::string& chosen, bool requests) {
  if (!chosen.empty()) return chosen;
  return data_folder() / "stories" / (requests ? "requests.grammar" : "stories.grammar");
}

std::filesystem::path dialogue_grammar(const std::string& chosen) {
  return chosen.empty() ? data_folder() / "stories" / "turns.grammar" : std::filesystem::path(chosen);
}

int run_stories(const StoriesOptions& options) {
  if (options.json && !options.statistics && options.out.empty())
    throw UserError("--json is for the figures of --statistics or --out, expected one of them with it");
  if (options.statistics && !options.out.empty())
    throw UserError("--statistics prints figures, and writes no stories to --out; expected one of them");
  if (options.held_out && !options.requests) throw UserError("--held-out is for --requests, expected both");
  if (options.turns > 0) return run_dialogues(options);
  if (options.instructed) throw UserError("--instructed is for dialogues, expected --turns with it");
  const Grammar grammar = open_grammar(options.grammar, options.requests);
  if (options.statistics) {
    print_statistics(statistics(grammar), options.json);
    return 0;
  }
  if (options.requests) return run_requests(options, grammar);
  if (options.out.empty()) {
    write_stories(grammar, options.seed, options.count, print_bytes);
    return 0;
  }
  CorpusTotals totals;
  write_file_atomically(options.out, [&](const WriteBytes& write) {
    totals = write_stories(grammar, options.seed, options.count, write);
  });
  if (options.json) {
    nlohmann::ordered_json report;
    report["stories"] = totals.stories;
    report["bytes"] = totals.bytes;
    report["bits"] = totals.bits;
    report["floor"] = totals.floor();
    fmt::print("{}\n", report.dump());
  } else {
    fmt::print("{}: {} stories, {} bytes, floor {:.4f} bits per byte\n", options.out, totals.stories, totals.bytes,
               totals.floor());
  }
  return 0;
}

}  // namespace cria
