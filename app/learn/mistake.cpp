#include "app/learn/mistake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <set>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria::learn {
namespace fs = std::filesystem;
namespace {

/// Where the `old` lines stand in the text. Throws unless that is exactly one place.
size_t only_place(const std::vector<std::string>& text, const std::vector<std::string>& old, const std::string& where) {
  size_t count = 0, place = 0;
  for (size_t at = 0; at + old.size() <= text.size(); ++at)
    if (std::equal(old.begin(), old.end(), text.begin() + at,
                   [](const auto& a, const auto& b) { return trim(a) == trim(b); }))
      ++count, place = at;
  if (count != 1)
    throw UserError(
        fmt::format("{}: the lines to replace stand {} times in the chapter's file, expected once", where, count));
  return place;
}

/// The region that the line is in; empty: none.
std::string region_at(const std::vector<std::string>& text, size_t line) {
  for (const Region& region : find_regions(join_lines(text), "a mistake"))
    if (line >= region.first_line && line <= region.last_line) return region.name;
  return "";
}

Mistake read_mistake(const Chapter& chapter, const fs::path& path) {
  Mistake mistake{.name = path.stem().string()};
  const std::vector<std::string> lines = split_lines(read_file(path));
  size_t i = 0;
  for (; i < lines.size() && !lines[i].empty(); ++i) {
    const size_t colon = lines[i].find(": ");
    const std::string key = lines[i].substr(0, colon),
                      value = colon == std::string::npos ? "" : lines[i].substr(colon + 2);
    std::string* target = key == "file"        ? &mistake.file
                          : key == "symptom"   ? &mistake.symptom
                          : key == "sentence"  ? &mistake.sentence
                          : key == "caught by" ? &mistake.caught_by
                                               : nullptr;
    if (!target || value.empty())
      throw UserError(fmt::format("{}:{}: expected file:, symptom:, sentence: or caught by:", shown(path), i + 1));
    *target = value;
  }
  for (const std::string* value : {&mistake.file, &mistake.symptom, &mistake.sentence, &mistake.caught_by})
    if (value->empty()) throw UserError(fmt::format("{}: needs file, symptom, sentence and caught by", shown(path)));

  std::vector<std::string> text = split_lines(chapter.file(mistake.file).reference);
  size_t changes = 0;
  while (i < lines.size()) {
    const std::string where = fmt::format("{}:{}", shown(path), i + 1);
    std::vector<std::string> old, replacement;
    for (; i < lines.size() && lines[i].starts_with("-"); ++i) old.push_back(lines[i].substr(1));
    for (; i < lines.size() && lines[i].starts_with("+"); ++i) replacement.push_back(lines[i].substr(1));
    if (old.empty()) {
      if (!replacement.empty() || !trim(lines[i]).empty())
        throw UserError(where + ": expected lines of - and then of +");
      ++i;
      continue;
    }
    const size_t at = only_place(text, old, where);
    if (mistake.region.empty()) mistake.region = region_at(text, at);
    text.erase(text.begin() + at, text.begin() + at + old.size());
    text.insert(text.begin() + at, replacement.begin(), replacement.end());
    ++changes;
  }
  if (changes == 0) throw UserError(fmt::format("{}: changes nothing", shown(path)));
  mistake.wrong = join_lines(text);
  return mistake;
}

/// All numbers in a text: "(0, 3): is 0.5f" gives 0, 3 and 0.5.
std::vector<double> numbers_in(const std::string& text) {
  std::vector<double> numbers;
  for (const char* at = text.c_str(); *at;) {
    const bool in_a_word = at != text.c_str() && (std::isalnum(static_cast<unsigned char>(at[-1])) || at[-1] == '_');
    const char* digit = at + (*at == '-');
    char* end = nullptr;
    if (!in_a_word && std::isdigit(static_cast<unsigned char>(*digit))) numbers.push_back(std::strtod(at, &end));
    at = end && end > at ? end : at + 1;
  }
  return numbers;
}

// Wide enough for sums in another order, and for values printed with three digits; mistakes are further apart.
bool same(double a, double b) { return std::abs(a - b) <= 1.2e-2 * std::max(std::abs(a), std::abs(b)) + 1e-9; }

bool same(const Trace& a, const Trace& b) {
  return a.test == b.test && a.expression == b.expression &&
         std::ranges::equal(a.numbers, b.numbers, [](double x, double y) { return same(x, y); });
}

/// Nothing can be said of this test: it did not run, or met what is not written yet.
bool waits(const TestRun& run, const std::string& test) {
  const auto found = std::ranges::find(run.cases, test, &TestCase::name);
  return found == run.cases.end() || std::ranges::any_of(found->failures, &Failure::not_written);
}

}  // namespace

std::vector<Mistake> read_mistakes(const Chapter& chapter) {
  const fs::path folder = source_folder() / "chapters" / chapter.folder / "mistakes";
  std::vector<Mistake> mistakes;
  if (!fs::exists(folder)) return mistakes;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".diff") mistakes.push_back(read_mistake(chapter, entry.path()));
  std::ranges::sort(mistakes, {}, &Mistake::name);
  return mistakes;
}

Fingerprint fingerprint(const TestRun& run) {
  constexpr size_t most_of_a_test = 4;
  Fingerprint traces;
  for (const TestCase& test : run.cases) {
    size_t count = 0;
    for (const Failure& failure : test.failures) {
      if (failure.not_written() || ++count > most_of_a_test) break;
      Trace trace{test.name, failure.expression, numbers_in(failure.expanded.substr(0, failure.pattern_at()))};
      if (std::ranges::none_of(traces, [&](const Trace& known) { return same(known, trace); }))
        traces.push_back(std::move(trace));
    }
  }
  return traces;
}

Fingerprint common(const Fingerprint& one, const Fingerprint& other) {
  Fingerprint both;
  for (const Trace& trace : one)
    if (std::ranges::any_of(other, [&](const Trace& seen) { return same(trace, seen); })) both.push_back(trace);
  return both;
}

const Mistake* recognise(const TestRun& run, const std::vector<Mistake>& mistakes, const Fingerprints& fingerprints) {
  constexpr double least_share = 0.4;  // two mistakes at once disturb each other's numbers
  const Fingerprint seen = fingerprint(run);
  const Mistake* best = nullptr;
  double best_score = 0;
  for (const Mistake& mistake : mistakes) {
    const auto known = fingerprints.find(mistake.name);
    if (known == fingerprints.end()) continue;
    size_t expected = 0, found = 0, with_numbers = 0;
    for (const Trace& trace : known->second) {
      const bool is_seen = std::ranges::any_of(seen, [&](const Trace& other) { return same(trace, other); });
      if (!is_seen && waits(run, trace.test)) continue;  // nothing of it could be seen
      ++expected, found += is_seen, with_numbers += is_seen && !trace.numbers.empty();
    }
    // Of those that are met in full, the one that explains most of what failed.
    const double share = expected == 0 ? 0 : double(found) / double(expected);
    const double score = share + 0.5 * double(found) / double(std::max<size_t>(seen.size(), 1));
    // Without numbers, only all that failed and nothing else is evidence.
    const bool exact = found == expected && found == seen.size();
    if (share < least_share || (with_numbers == 0 && !exact) || score <= best_score) continue;
    best = &mistake, best_score = score;
  }
  return best;
}

std::string suspect(const TestRun& run, const std::vector<Mistake>& mistakes, const Fingerprints& fingerprints) {
  using Names = std::set<std::pair<std::string, std::string>>;  // a test, and an assertion in it or none
  const auto names = [&run](const Fingerprint& traces, bool assertions) {
    Names found;
    for (const Trace& trace : traces)
      if (!waits(run, trace.test)) found.emplace(trace.test, assertions ? trace.expression : "");
    return found;
  };
  const auto likeness = [](const Names& a, const Names& b) {  // what both have of what one has
    const auto shared = std::ranges::count_if(a, [&](const auto& name) { return b.contains(name); });
    return double(shared) / std::max(1.0, double(a.size() + b.size()) - double(shared));
  };
  const Fingerprint seen = fingerprint(run);
  std::string region;
  double best = 0;
  for (const Mistake& mistake : mistakes) {
    const auto known = fingerprints.find(mistake.name);
    if (known == fingerprints.end()) continue;
    // The tests alone count a little, for assertions that no mistake makes fail.
    const double score = likeness(names(seen, true), names(known->second, true)) +
                         0.3 * likeness(names(seen, false), names(known->second, false));
    if (score > best) best = score, region = mistake.region;
  }
  return region;
}

}  // namespace cria::learn
