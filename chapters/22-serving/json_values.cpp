#include "chapters/22-serving/json_values.hpp"

#include <algorithm>

namespace cria {
namespace {

constexpr size_t most_digits = 15;  // behind the first: more do not come back from a double as they were
constexpr size_t most_blanks = 20;

}  // namespace

JsonValues::JsonValues(ByteGrammar& grammar) : grammar_(grammar) {
  RuleId blanks = grammar.add({{}});
  for (size_t i = 0; i < most_blanks; ++i) blanks = grammar.add({{}, {one_of(" "), the_rule(blanks)}});
  space_ = grammar.add({{}, {one_of(" ")}, {one_of("\n"), the_rule(blanks)}});

  const RuleId minus = grammar.add({{}, {one_of("-")}});
  const RuleId whole = grammar.add({{one_of("0")}, {one_of("1-9"), the_rule(digits(most_digits))}});
  integer_ = grammar.add({{the_rule(minus), the_rule(whole)}});
  const RuleId point = grammar.add({{}, {one_of("."), one_of("0-9"), the_rule(digits(most_digits))}});
  const RuleId sign = grammar.add({{}, {one_of("-")}, {one_of("+")}});
  const RuleId exponent = grammar.add({{}, {one_of("eE"), the_rule(sign), one_of("0-9"), the_rule(digits(1))}});
  number_ = grammar.add({{the_rule(integer_), the_rule(point), the_rule(exponent)}});
  boolean_ = grammar.add({literal("true"), literal("false")});
  null_ = grammar.add({literal("null")});
  character_ = character();
}

RuleId JsonValues::digits(size_t most) {
  RuleId rule = grammar_.add({{}});
  for (size_t i = 0; i < most; ++i) rule = grammar_.add({{}, {one_of("0-9"), the_rule(rule)}});
  return rule;
}

RuleId JsonValues::character() {
  std::vector<ByteSequence> ways;
  // solution: json_character
  ByteSymbol plain = one_of(0x20, 0x7F);
  plain.bytes.reset('"').reset('\\');
  const ByteSymbol rest = one_of(0x80, 0xBF), hex = one_of("0-9a-fA-F");
  // UTF-8 (RFC 3629, section 4): no byte sequence that is too long, no halves of pairs, nothing beyond U+10FFFF.
  ways = {{plain},
          {one_of(0xC2, 0xDF), rest},
          {one_of(0xE0, 0xE0), one_of(0xA0, 0xBF), rest},
          {one_of(0xE1, 0xEC), rest, rest},
          {one_of(0xED, 0xED), one_of(0x80, 0x9F), rest},
          {one_of(0xEE, 0xEF), rest, rest},
          {one_of(0xF0, 0xF0), one_of(0x90, 0xBF), rest, rest},
          {one_of(0xF1, 0xF3), rest, rest, rest},
          {one_of(0xF4, 0xF4), one_of(0x80, 0x8F), rest, rest}};
  // Escapes; a character beyond U+FFFF is a pair of them.
  const ByteSequence u = literal("\\u");
  ways.push_back({one_of("\\"), one_of("\"\\/bfnrt")});
  ways.push_back(u + ByteSequence{one_of("0-9a-cA-CefEF"), hex, hex, hex});
  ways.push_back(u + ByteSequence{one_of("dD"), one_of("0-7"), hex, hex});
  ways.push_back(u + ByteSequence{one_of("dD"), one_of("89abAB"), hex, hex} + u +
                 ByteSequence{one_of("dD"), one_of("c-fC-F"), hex, hex});
  // end of solution
  return grammar_.add(std::move(ways));
}

// From the last character back: behind k of them either the end, or one more.
ByteSymbol JsonValues::string(size_t least, std::optional<size_t> most) {
  const ByteSymbol one = the_rule(character_);
  RuleId rule = grammar_.add();
  grammar_.rules[rule] = {literal("\"")};
  if (!most) grammar_.rules[rule].push_back({one, the_rule(rule)});
  for (size_t k = most.value_or(least); k-- > 0;) {
    std::vector<ByteSequence> ways = {{one, the_rule(rule)}};
    if (k >= least) ways.push_back(literal("\""));
    rule = grammar_.add(std::move(ways));
  }
  return the_rule(grammar_.add({{one_of("\""), the_rule(rule)}}));
}

ByteSymbol JsonValues::array(ByteSymbol item, size_t least, std::optional<size_t> most) {
  const ByteSequence close = {space(), one_of("]")}, next = {one_of(","), space(), item};
  RuleId rule = grammar_.add({close});  // what comes behind an item
  if (!most) grammar_.rules[rule].push_back(next + ByteSequence{the_rule(rule)});
  for (size_t k = most.value_or(std::max<size_t>(least, 1)); k-- > 1;) {
    std::vector<ByteSequence> ways = {next + ByteSequence{the_rule(rule)}};
    if (k >= least) ways.push_back(close);
    rule = grammar_.add(std::move(ways));
  }
  std::vector<ByteSequence> ways;
  if (most != size_t(0)) ways.push_back({one_of("["), space(), item, the_rule(rule)});
  if (least == 0) ways.push_back(literal("[]"));
  return the_rule(grammar_.add(std::move(ways)), true);
}

ByteSymbol JsonValues::dictionary(ByteSymbol value) {
  const ByteSequence member = {space(), string(0, {}), one_of(":"), space(), value};
  const RuleId rule = grammar_.add({{space(), one_of("}")}});
  grammar_.rules[rule].push_back(literal(",") + member + ByteSequence{the_rule(rule)});
  return the_rule(grammar_.add({literal("{}"), literal("{") + member + ByteSequence{the_rule(rule)}}), true);
}

ByteSymbol JsonValues::any() {
  if (any_) return the_rule(*any_);
  any_ = grammar_.add();
  const ByteSymbol text = string(0, {}), list = array(the_rule(*any_), 0, {}), object = any_object();
  grammar_.rules[*any_] = {{text}, {number()}, {boolean()}, {null()}, {list}, {object}};
  return the_rule(*any_);
}

ByteSymbol JsonValues::any_object() {
  if (!any_object_) {
    any_object_ = grammar_.add();
    const ByteSymbol object = dictionary(any());
    grammar_.rules[*any_object_] = {{object}};
  }
  return the_rule(*any_object_);
}

}  // namespace cria
