// Chapter 22, JSON schemas as rules: which texts they allow, what is refused, and that whatever is written is valid.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "chapters/22-serving/byte_automaton.hpp"
#include "chapters/22-serving/json_schema.hpp"
#include "lib/formats/json.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

class Schema {
 public:
  explicit Schema(std::string_view schema) : automaton_(parse_schema(schema)) {}

  /// How much of a text is allowed.
  size_t bytes_allowed(std::string_view text) {
    AutomatonText state(automaton_, automaton_.start());
    size_t count = 0;
    while (count < text.size() && state.push(static_cast<unsigned char>(text[count]))) ++count;
    return count;
  }
  bool allows(std::string_view text) {
    AutomatonText state(automaton_, automaton_.start());
    for (const char byte : text)
      if (!state.push(static_cast<unsigned char>(byte))) return false;
    return state.may_end();
  }
  /// A text of bytes drawn from those that are allowed, which ends where it may, more and more likely so.
  std::string draw(Random& random, size_t length) {
    AutomatonText state(automaton_, automaton_.start());
    std::string text;
    while (!automaton_.complete(state.state()) && !(state.may_end() && random.below(4) == 0)) {
      std::vector<unsigned char> bytes;
      for (int byte = 0; byte < 256; ++byte)
        if (state.push(static_cast<unsigned char>(byte)))
          state.pop(), bytes.push_back(static_cast<unsigned char>(byte));
      REQUIRE(!bytes.empty());
      unsigned char byte = bytes[random.below(static_cast<std::uint32_t>(bytes.size()))];
      const auto close = [&](char c) {
        if (std::ranges::find(bytes, static_cast<unsigned char>(c)) == bytes.end()) return false;
        byte = static_cast<unsigned char>(c);
        return true;
      };
      const bool in_string = std::ranges::find(bytes, 'x') != bytes.end();
      if (text.size() > length) in_string ? close('"') : close(']') || close('}') || close('"');
      REQUIRE(state.push(byte));
      text += static_cast<char>(byte);
      REQUIRE(text.size() < 100 * length);
    }
    return text;
  }
  size_t states() const { return automaton_.size(); }

 private:
  ByteAutomaton automaton_;
};

std::string refusal(std::string_view schema) {
  try {
    parse_schema(schema);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

constexpr const char* person = R"({"type": "object", "properties": {
  "name": {"type": "string", "minLength": 1, "maxLength": 8}, "age": {"type": "integer"},
  "mail": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
  "required": ["name", "mail"], "additionalProperties": false})";

constexpr const char* tree = R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {
  "value": {"type": ["number", "null"]}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2}},
  "required": ["value"]}}})";

}  // namespace

TEST_CASE("schema: the example of the lesson, which bytes may follow") {
  Schema schema(R"({"type": "object", "properties": {"ok": {"type": "boolean"}, "n": {"type": "integer"}},
                    "required": ["ok"]})");
  CHECK(schema.allows(R"({"ok":true})"));
  CHECK(schema.allows(R"({"ok": false, "n": -12})"));
  CHECK(schema.bytes_allowed(R"({"n")") == 2);          // ok is required and comes first
  CHECK(schema.bytes_allowed(R"({"ok":tralse)") == 8);  // {"ok":tr
  CHECK(schema.bytes_allowed(R"({"ok":true,"n":01)") == 16);
  CHECK(!schema.allows(R"({"ok":true)"));
  CHECK(schema.bytes_allowed(R"({"ok":true} )") == 11);  // nothing follows
}

TEST_CASE("schema: objects, optional properties and their order") {
  Schema schema(person);
  CHECK(schema.allows(R"({"name":"Mia","age":7,"mail":null})"));
  CHECK(schema.allows("{\n  \"name\": \"Mia\",\n  \"mail\": \"mia@example.org\"\n}"));
  CHECK(!schema.allows(R"({"name":"Mia"})"));
  CHECK(!schema.allows(R"({"age":7,"name":"Mia","mail":null})"));
  CHECK(!schema.allows(R"({"name":"Mia","mail":null,"more":1})"));
  CHECK(!schema.allows(R"({"name":"","mail":null})"));
  CHECK(schema.allows(R"({"name":"12345678","mail":null})"));
  CHECK(!schema.allows(R"({"name":"123456789","mail":null})"));
  CHECK(schema.allows("{\"name\":\"ä€𝄞\\u00e4\\ud834\\udd1e\\n12\",\"mail\":null}"));  // eight characters
  CHECK(!schema.allows("{\"name\":\"ä€𝄞\\u00e4\\ud834\\udd1e\\n123\",\"mail\":null}"));
  Schema none(R"({"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"}}})");
  for (const char* text : {"{}", R"({"a":null})", R"({"b":null})", R"({"a":null,"b":null})"}) CHECK(none.allows(text));
  for (const char* text :
       {"{,}", R"({"a":null,})", R"({,"b":null})", R"({"b":null,"a":null})", R"({"a":null "b":null})"})
    CHECK(!none.allows(text));
}

TEST_CASE("schema: strings are UTF-8 without control characters, and escapes are whole") {
  Schema schema(R"({"type": "string"})");
  for (const char* text : {R"("")", R"("a\"b")", "\"\xF4\x8F\xBF\xBF\"", R"("\/\\\b\f\n\r\t\uD7ff\ue000\ud83d\uDE00")"})
    CHECK(schema.allows(text));
  for (const char* text : {"\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\x80\"", "\"\n\"", R"("\x")",
                           R"("\ud83d")", R"("\ude00")", R"("\u12")", R"("a)"})
    CHECK(!schema.allows(text));
}

TEST_CASE("schema: numbers, lists, choices and references") {
  Schema number(R"({"type": "number"})"), integer(R"({"type": "integer"})");
  for (const char* text : {"0", "-0", "12", "1.5", "-1.25e-7", "2E+3"}) CHECK(number.allows(text));
  for (const char* text : {"01", "+1", ".5", "1.", "-", "1e", "NaN", "0x1"}) CHECK(!number.allows(text));
  CHECK((integer.allows("-12") && !integer.allows("1.0")));
  Schema list(R"({"type": "array", "items": {"enum": [1, "a", null, [true]]}, "minItems": 1, "maxItems": 3})");
  for (const char* text : {"[1]", R"([1, "a",null])", "[[true]]"}) CHECK(list.allows(text));
  for (const char* text : {"[]", "[1,1,1,1]", "[2]", "[1,]", "[1 1]"}) CHECK(!list.allows(text));
  Schema empty(R"({"type": "array", "maxItems": 0})");
  CHECK((empty.allows("[]") && !empty.allows("[1]")));
  Schema choice(R"({"anyOf": [{"const": "north"}, {"const": "norway"}, {"type": "integer"}]})");
  for (const char* text : {R"("north")", R"("norway")", "7"}) CHECK(choice.allows(text));
  CHECK(!choice.allows(R"("nor")"));
  Schema typed(R"({"enum": [1, 2.5, "x"], "type": ["integer", "string"]})");
  CHECK((typed.allows("1") && typed.allows("\"x\"") && !typed.allows("2.5")));
  Schema whole(R"({"enum": [1.0, 2.5], "type": "integer"})");
  CHECK((whole.allows("1.0") && !whole.allows("2.5")));
  Schema nodes(tree);
  CHECK(nodes.allows(R"({"value":1,"children":[{"value":null},{"value":2,"children":[]}]})"));
  CHECK(!nodes.allows(R"({"value":1,"children":[{"value":null},{"value":2},{"value":3}]})"));
  Schema words(R"({"type": "object", "additionalProperties": {"type": "integer"}})");
  CHECK((words.allows("{}") && words.allows(R"({"a":1, "b":2})") && !words.allows(R"({"a":"1"})")));
}

TEST_CASE("schema: any object, of limited depth") {
  Schema any(R"({"type": "object"})");
  CHECK(any.allows(R"({"a": [1, {"b": null}, "c"], "d": {}})"));
  CHECK(!any.allows("[1]"));
  const auto nested = [](size_t depth) {
    std::string text = "{\"a\":";
    for (size_t i = 1; i < depth; ++i) text += '[';
    for (size_t i = 1; i < depth; ++i) text += ']';
    return text + "}";
  };
  CHECK(any.allows(nested(64)));
  CHECK(!any.allows(nested(65)));
  // What cannot be finished is not begun: in the deepest list no white space comes where only a list could follow.
  Schema lists(R"({"type": "array", "items": {"$ref": "#"}})");
  CHECK(lists.bytes_allowed(std::string(64, '[') + " ") == 64);
  CHECK(lists.allows(std::string(64, '[') + std::string(64, ']')));
}

TEST_CASE("schema: one that would take all memory or time is refused") {
  // Short texts whose references make them deep, each item 50 lists: the stack would not hold it.
  std::string chain = R"({"$ref": "#/$defs/a0", "$defs": {)";
  for (int i = 0; i < 40; ++i) {
    for (int level = 0; level < 51; ++level) chain += level == 0 ? fmt::format("\"a{}\":", i) : R"({"items":)";
    chain += fmt::format("{{\"$ref\": \"#/$defs/a{}\"}}", i + 1) + std::string(50, '}') + ",";
  }
  CHECK_THAT(refusal(chain + R"("a40": {"type": "null"}}})"), contains("more than 200 schemas in each other"));
  CHECK_THAT(refusal("{\"description\": \"" + std::string(64 << 10, 'x') + "\"}"), contains("too long"));
  CHECK_THROWS_WITH(schema_grammar({{"description", std::string(64 << 10, 'x')}}), contains("too long"));
  // A long name once more with each type that the list names.
  std::string many = R"({"$defs": {"a": {"type": ["object")";
  for (int i = 0; i < 20; ++i) many += R"(, "object")";
  many += R"(], "properties": {")" + std::string(20000, 'x') + R"(": true}}}, "$ref": "#/$defs/a"})";
  CHECK_THAT(refusal(many), contains("more than 262144 symbols"));
  std::string nested = R"({"type": "null"})";
  for (int i = 0; i < 30; ++i) nested = R"({"type": "array", "minItems": 1, "items": )" + nested + "}";
  CHECK(Schema(nested).allows(std::string(30, '[') + "null" + std::string(30, ']')));
  std::string deep = R"({"$ref": "#/$defs/a64", "$defs": {"a0": {"type": "array"})";
  for (int i = 0; i < 64; ++i)
    deep += fmt::format(R"(, "a{}": {{"type": "array", "minItems": 1, "items": {{"$ref": "#/$defs/a{}"}}}})", i + 1, i);
  CHECK_THAT(refusal(deep + "}}"), contains("asks for more than 64 levels"));
}

TEST_CASE("schema: lists of at least 4096 lists are read in no time") {
  std::string text = R"({"type": "null"})";
  for (int i = 0; i < 4; ++i) text = R"({"type": "array", "minItems": 4096, "items": )" + text + "}";
  CHECK(Schema(text).bytes_allowed("[[[[null,") == 9);  // work that grows as the square would take minutes
}

TEST_CASE("automaton: what is too much for one text leaves it to others") {
  // As many a as x: each x more is a state of its own.
  ByteGrammar grammar;
  grammar.rules = {{{one_of("x"), the_rule(0), one_of("a")}, {}}};
  check_byte_grammar(grammar, "pairs");
  ByteAutomaton pairs(grammar);
  for (int i = 0; i < 2; ++i) {
    AutomatonText text(pairs, pairs.start());
    CHECK_THROWS_WITH(
        [&] {
          while (text.push('x'))
            ;
        }(),
        contains("more than 65536 states"));
  }
  // Each x may be closed by an a or a b that comes later: the stacks double.
  grammar.rules[0].push_back({one_of("x"), the_rule(0), one_of("b")});
  ByteAutomaton doubling(grammar);
  AutomatonText text(doubling, doubling.start());
  CHECK_THROWS_WITH(
      [&] {
        while (text.push('x'))
          ;
      }(),
      contains("too many ways"));
}

TEST_CASE("schema: what is drawn byte by byte is JSON that fits, however it is drawn") {
  Random random(5);
  for (const char* text : {person, tree, R"({"type": "object"})", R"({"type": "array", "items": {}, "minItems": 3})"}) {
    Schema schema(text);
    for (int i = 0; i < 100; ++i) {
      const std::string drawn = schema.draw(random, 60);
      CAPTURE(drawn);
      const auto value = nlohmann::ordered_json::parse(drawn);
      if (text != person) continue;
      REQUIRE((value.contains("name") && value.contains("mail")));
      CHECK(value["name"].get<std::string>().size() >= 1);
      if (value.contains("age")) CHECK(value["age"].is_number_integer());
      CHECK((value["mail"].is_null() || value["mail"].is_string()));
    }
  }
}

TEST_CASE("schema: what is not understood is refused by name and place") {
  CHECK_THAT(refusal(R"({"type": "string", "pattern": "a+"})"), contains("schema: the keyword \"pattern\""));
  CHECK_THAT(refusal(R"({"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}})"),
             contains("schema/properties/a: the keyword \"minimum\""));
  CHECK_THAT(refusal(R"({"oneOf": [{"type": "null"}]})"), contains("\"oneOf\""));
  CHECK_THAT(refusal(R"({"type": "string", "minItems": 1})"), contains("\"minItems\""));
  CHECK_THAT(refusal(R"({"type": "text"})"), contains("schema/type: there is no type \"text\""));
  CHECK_THAT(refusal(R"({"type": "object", "required": ["x"]})"), contains("schema/required: expected names of prop"));
  CHECK_THAT(refusal(R"({"$ref": "https://example.org"})"), contains("schema/$ref: expected"));
  CHECK_THAT(refusal(R"({"type": "string", "minLength": 3, "maxLength": 2})"), contains("minLength is more"));
  CHECK_THAT(refusal(R"({"type": "string", "maxLength": 5000})"), contains("at most 4096"));
  CHECK_THAT(refusal(R"({"anyOf": []})"), contains("schema/anyOf: expected a list"));
  CHECK_THAT(refusal(R"({"enum": [1], "type": "string"})"), contains("no value of enum"));
  CHECK_THAT(refusal(R"({"anyOf": [{"$ref": "#"}, {"type": "null"}]})"), contains("leads back to itself"));
  CHECK_THAT(refusal(R"({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})"),
             contains("allows no finite text"));
  CHECK_THAT(refusal("[1]"), contains("expected an object"));
  CHECK_THAT(refusal("{"), contains("not valid JSON"));
}

TEST_CASE("schema: a text that is longer has no more states") {
  Schema schema(R"({"type": "array", "items": {"type": "string"}})");
  std::string text = "[\"a\"";
  CHECK(schema.bytes_allowed(text) == text.size());
  for (int i = 0; i < 3; ++i) text += ", \"longer and longer\"";
  schema.bytes_allowed(text);
  const size_t states = schema.states();
  for (int i = 0; i < 1000; ++i) text += ", \"longer and longer\"";
  CHECK(schema.bytes_allowed(text) == text.size());
  CHECK(schema.states() == states);
}
