// Reading a grammar file: whatever breaks its rules is refused with the line and the reason.
#include <fmt/format.h>

#include <string>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/generate.hpp"
#include "lib/grammar/grammar.hpp"
#include "tests/lib/grammar_refusal.hpp"
#include "tests/testing.hpp"

using namespace cria;
using cria::testing::contains;
using cria::testing::message_of;

TEST_CASE("A malformed grammar is refused with its line and what is wrong") {
  const std::string end = "\nsentence s\n  Hi.\n";
  CHECK(message_of("") == "file: a grammar needs a rule named `story`");
  CHECK(message_of("  Hi.\n") == "file:1: an indented line must follow a line `rule`, `sentence` or `list`");
  CHECK_THAT(message_of("rul story\n"), contains("file:1: expected `rule`, `sentence` or `list`"));
  CHECK(message_of("rule story\n  [s]\n  [t]" + end) == "file:3: there is no rule `t`");
  CHECK(message_of("rule story\n  [s" + end) == "file:2: `[` is never closed");
  CHECK(message_of("rule story\n  s]" + end) == "file:2: `]` without its opening bracket");
  CHECK(message_of("rule story\n  [s]\nsentence s\n  {x.y}.\n") == "file:4: there is no list `x`");
  CHECK(message_of("rule story\n  [s]\nlist x: y\n  a\nsentence s\n  {x}.\n") ==
        "file:6: {x} must name a list and a field: {x.field}");
  CHECK(message_of("rule story\n  [s]\nlist x: y | z\n  a | b\nsentence s\n  {x.q}.\n") ==
        "file:6: list x has no field `q`, only y, z");
  CHECK(message_of("rule story\n  [s]\nlist x: y | z\n  a\nsentence s\n  {x.y}.\n") ==
        "file:4: list x has 2 fields, this line has 1");
  CHECK(message_of("rule story\n  [s]\nlist x\n  a\n") ==
        "file:3: a list names its fields: `list name: field | field`");
  CHECK(message_of("rule story\n  [s]\nlist x: y | y\n  a\n") ==
        "file:3: list x: field names must be distinct and not empty");
  CHECK(message_of("rule story\n  [s]\nrule story\n  [s]" + end) == "file:3: `story` is defined twice");
  CHECK_THAT(message_of("rule Story\n  [s]" + end), contains("file:1: `Story` is no name"));
  CHECK(message_of("rule story\n  0: [s]" + end) == "file:2: a weight must be a number above 0");
  CHECK(message_of("rule story\n  [s] |" + end) == "file:2: an empty alternative: write () for nothing");
  CHECK(message_of("rule story" + end) == "file:1: rule story has no lines");
  CHECK(message_of("rule story\n  [s] [a]\nrule a\n  [b]\nrule b\n  [a]" + end) ==
        "file:3: `a` leads back to itself: stories could be endless");
  CHECK(message_of("rule story\n  [s]\nrule a\n  b" + end) == "file:3: rule a is never used");
  CHECK(message_of("rule story\n  [s]\nlist a: b\n  b" + end) == "file:3: list a is never used");
  CHECK(message_of("rule story\n  [s] and" + end) == "file:1: words outside every sentence: put them under `sentence`");
  CHECK(message_of("rule story\n  [s]\nsentence s\n  Hi\n") == "file:3: every line of sentence s must end in . ! or ?");
  CHECK(message_of("rule story\n  [s]\nsentence s\n  [t].\nsentence t\n  Hi.\n") ==
        "file:3: sentence t stands inside sentence s");
  CHECK_THROWS_WITH(Grammar::load("no such file"), contains("no such file"));
  for (const char* weight : {"-1", "nan", "inf", "1e999"})
    CHECK(message_of(fmt::format("rule story\n  {}: [s]{}", weight, end)) ==
          "file:2: a weight must be a number above 0");
  for (const char* weights : {"1e308: A.\n  1e308: B.", "1e-308: A.\n  1e308: B."})
    CHECK(message_of(fmt::format("rule story\n  [s]\nsentence s\n  {}\n", weights)) ==
          "file:3: rule s has weights too far apart, or too large");
}

TEST_CASE("A thread that gives sentences is checked as a rule is") {
  const std::string list = "list x: a | b\n  one | [s] [t]\n  two | [t]\nsentence s\n  Hi.\nsentence t\n  Ho.\n";
  CHECK(message_of("rule story\n  [s] {x.b}\n" + list) == "no error");
  CHECK(message_of("rule story\n  [s] {x.a}\n" + list) ==
        "file:3: words outside every sentence: put them under `sentence`");
  CHECK(message_of("rule story\n  [u] {x.b}\nsentence u\n  {x.b}.\n" + list) ==
        "file:3: sentence s stands inside sentence u");
}

TEST_CASE("A later section takes the place of an included one, and a name leads to no other folder") {
  const cria::testing::TemporaryFolder folder;
  const auto write = [&](const char* name, const std::string& text) { write_file_atomically(folder / name, text); };
  const auto told = [&](const char* name) {
    Random random(1);
    return generate(Grammar::load(folder / name), random).text;
  };
  const auto refused = [&](const char* name) {
    try {
      Grammar::load(folder / name);
    } catch (const UserError& error) {
      return std::string(error.what()).substr(folder.path().string().size() + 1);
    }
    return std::string("no error");
  };
  write("first", "rule story\n  [s] [t]\nlist x: y\n  Mia\nsentence s\n  {x.y} ran.\nsentence t\n  Ho.\n");
  write("second", "include first\nsentence t\n  {x.y} hid.\n");
  write("third", "list x: y\n  Tom\ninclude second\ninclude first\n");
  CHECK(told("first") == "Mia ran. Ho.");
  CHECK(told("second") == "Mia ran. Mia hid.");
  CHECK(told("third") == "Tom ran. Ho.");
  write("wrong", "include second\nsentence t\n  {x.z}.\n");
  CHECK(refused("wrong") == "wrong:3: list x has no field `z`, only y");
  write("twice", "include first\nsentence t\n  A.\nsentence t\n  B.\n");
  CHECK(refused("twice") == "twice:4: `t` is defined twice");
  write("itself", "include itself\n");
  CHECK(refused("itself") == "itself:1: `itself` is included more than 4 files deep");
  std::string many;
  for (int i = 0; i < 17; ++i) many += "include first\n";
  write("many", many);
  CHECK(refused("many") == "many:17: more than 16 files are included");
  write("large", std::string(1 << 20, '#'));
  write("larger", "include first\ninclude large\n");
  CHECK_THAT(refused("larger"), contains("large"));
  write("missing", "include nothing\n");
  CHECK_THAT(refused("missing"), contains("nothing"));
  for (const char* name : {"", "/etc/passwd", "../first", "..", ".hidden", "a/b", "a\\b"})
    CHECK(message_of(fmt::format("include {}\n", name)) == "file:1: only a file can include another");
  for (const char* name : {"", "/etc/passwd", "../first", "..", ".hidden", "a/b", "a\\b"}) {
    write("out", fmt::format("include {}\n", name));
    CHECK(refused("out") == fmt::format("out:1: `{}` is no file's name: expected one in the same folder", name));
  }
}

TEST_CASE("A grammar too deep for the stack, or with stories too long for memory, is refused") {
  const auto nested = [](size_t levels) {
    return "rule story\n  [s]\nsentence s\n  " + std::string(levels, '(') + "x" + std::string(levels, ')') + ".\n";
  };
  CHECK(message_of(nested(16)) == "no error");
  CHECK(message_of(nested(17)) == "file:4: more than 16 brackets are open");
  CHECK(message_of(nested(100000)) == "file:4: more than 16 brackets are open");

  // Rules r0 … r<levels>, each made of the next one as `body` says, {0} being its name.
  const auto chain = [](size_t levels, const char* body) {
    std::string text = "rule story\n  [s]\nsentence s\n  A [r0].\n";
    for (size_t i = 0; i < levels; ++i)
      text += fmt::format("rule r{}\n  {}\n", i, fmt::format(fmt::runtime(body), fmt::format("[r{}]", i + 1)));
    return text + fmt::format("rule r{}\n  x\n", levels);
  };
  CHECK(message_of(chain(97, "{0}")) == "no error");
  CHECK_THAT(message_of(chain(98, "{0}")), contains("`r98` is more than 100 rules deep"));
  CHECK_THAT(message_of(chain(100000, "{0}")), contains("`r98` is more than 100 rules deep"));
  CHECK(message_of(chain(16, "{0}{0}")) == "no error");
  CHECK_THAT(message_of(chain(60, "{0}{0}")), contains("can be longer than 100000 bytes"));
  CHECK(message_of(chain(60, "{0} | {0}")) == "no error");  // as many derivations as 2^60: every rule is looked at once
  std::string twice = "rule story\n  [s]\nsentence s\n  A [r0].\n";  // 2^40 mentions, and not one letter
  for (size_t i = 0; i < 40; ++i) twice += fmt::format("rule r{}\n  [r{}][r{}]\n", i, i + 1, i + 1);
  CHECK_THAT(message_of(twice + "rule r40\n  ()\n"), contains("can go through more than 1000000 rules"));
  std::string fields = "f0";
  for (size_t i = 1; i < 60000; ++i) fields += fmt::format("|f{}", i);
  CHECK(message_of("rule story\n  [s]\nlist x: " + fields + "\n  a\n") == "file:3: list x has more than 100 fields");
}
