// The wrong implementations that each chapter keeps in mistakes/, and recognising them in a learner's test run.
//
// A mistake is a file `name.diff`: lines of `key: value`, then changes, each a block of `-` lines that stand exactly
// once in the chapter's file and the `+` lines that take their place. Indentation does not matter.
//
// It is recognised by its fingerprint: the assertions that fail, with their values, when the mistake itself is run.
// They are kept in mistakes/fingerprints.json; `cria learn prove` writes and checks them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/learn/chapter.hpp"
#include "app/learn/test_run.hpp"

namespace cria::learn {

struct Mistake {
  std::string name{};       // of the file: eps-outside-root
  std::string file{};       // that it changes: rmsnorm.cpp
  std::string region{};     // of its first change within one
  std::string symptom{};    // what one notices without tests
  std::string sentence{};   // for the learner
  std::string caught_by{};  // a test's name
  std::string wrong{};      // the whole file with the mistake in it
};

/// A failed assertion, told apart by its numbers.
struct Trace {
  std::string test, expression;
  std::vector<double> numbers;
};
using Fingerprint = std::vector<Trace>;
using Fingerprints = std::map<std::string, Fingerprint>;  // by the mistake's name

/// Throws UserError, naming file and line, where one is not as described above.
std::vector<Mistake> read_mistakes(const Chapter& chapter);

Fingerprint fingerprint(const TestRun& run);
/// What two runs of one mistake have alike: where threads race, a number may be another one each time.
Fingerprint common(const Fingerprint& one, const Fingerprint& other);
Fingerprints read_fingerprints(const Chapter& chapter);
void write_fingerprints(const Chapter& chapter, const Fingerprints& fingerprints);

/// The mistake that explains this run best, or null.
const Mistake* recognise(const TestRun& run, const std::vector<Mistake>& mistakes, const Fingerprints& fingerprints);

/// The region that a run like this speaks against: that of the mistake by which most of the same assertions fail,
/// whatever their numbers. Empty when no mistake makes any of them fail.
std::string suspect(const TestRun& run, const std::vector<Mistake>& mistakes, const Fingerprints& fingerprints);

}  // namespace cria::learn
