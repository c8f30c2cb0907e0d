// The interpreter of chat templates: each construct with what Python's Jinja makes of it, worked out by hand.
#include <nlohmann/json.hpp>
#include <string>

#include "lib/jinja/template.hpp"
#include "tests/testing.hpp"

using namespace cria;

namespace {

using Json = nlohmann::ordered_json;

std::string render(const std::string& source, const Json& variables = Json::object()) {
  return jinja::Template(source).render(variables);
}
/// What `{{ expression }}` writes.
std::string value(const std::string& expression, const Json& variables = Json::object()) {
  return render("{{ " + expression + " }}", variables);
}

}  // namespace

TEST_CASE("Text is written as it stands, but for one newline at its end") {
  CHECK(render("") == "");
  CHECK(render("a\n b\n") == "a\n b");
  CHECK(render("a\n\n") == "a\n");
  CHECK(render("a\r\nb\rc") == "a\nb\nc");
  CHECK(render("{# a comment #}x{% raw %}{{ y }}{% endraw %}") == "x{{ y }}");
}

TEST_CASE("A statement alone on its line leaves nothing of it") {
  CHECK(render("a\n  {% if true %}\n  b\n  {% endif %}\nc") == "a\n  b\nc");
  CHECK(render("a\n  {# comment #}\nc") == "a\nc");
  CHECK(render("a\n  {{ 1 }}\nc") == "a\n  1\nc");
  CHECK(render("a {% if true %} b {% endif %} c") == "a  b  c");
}

TEST_CASE("A minus takes the white space on its side, a plus keeps it") {
  CHECK(render("a \n {%- if true -%} \n b {%- endif %} c") == "ab c");
  CHECK(render("a \n {{- 1 -}} \n b") == "a1b");
  CHECK(render("a\n  {%+ if true +%}\nb{% endif %}") == "a\n  \nb");
  CHECK(render("a {#- x -#} b") == "ab");
  CHECK(render("a {%- raw -%} {{ {%- endraw -%} b") == "a{{b");
}

TEST_CASE("for runs over lists, dicts, texts and pairs") {
  CHECK(render("{% for i in [1, 2] %}{{ i }},{% endfor %}") == "1,2,");
  CHECK(render("{% for k in m %}{{ k }}{% endfor %}", {{"m", {{"b", 1}, {"a", 2}}}}) == "ba");
  CHECK(render("{% for k, v in m.items() %}{{ k }}{{ v }}{% endfor %}", {{"m", {{"b", 1}, {"a", 2}}}}) == "b1a2");
  CHECK(render("{% for c in 'né' %}{{ c }}.{% endfor %}") == "n.é.");
  CHECK(render("{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}") == "123");
  CHECK(render("{% for i in [] %}x{% else %}none{% endfor %}") == "none");
  CHECK(render("{% for i in missing %}x{% else %}none{% endfor %}") == "none");
}

TEST_CASE("loop tells where a for loop is, among the items that its condition keeps") {
  CHECK(render("{% for i in 'abc' %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }} {% endfor "
               "%}") == "1032 2121 3210 ");
  CHECK(render("{% for i in 'abc' %}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}") ==
        "TrueFalse3 FalseFalse3 FalseTrue3 ");
  CHECK(render("{% for i in 'ab' %}[{{ loop.previtem }}{{ i }}{{ loop.nextitem }}]{% endfor %}") == "[ab][ab]");
  CHECK(render("{% for i in [1, 2, 3, 4] if i % 2 == 0 %}{{ i }}{{ loop.index }}{{ loop.last }}{{ loop.length }} {% "
               "endfor %}") == "21False2 42True2 ");
  CHECK(render("{% for i in [1, 2, 3] %}{{ loop.cycle('a', 'b') }}{% endfor %}") == "aba");
}

TEST_CASE("break ends a loop, continue goes on with the next item") {
  CHECK(
      render("{% for i in [1, 2, 3, 4] %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}"
             "{{ i }}{% endfor %}.") == "13.");
  CHECK(render("{% for i in [1, 2] %}{% for j in [1, 2] %}{% break %}{% endfor %}{{ i }}{% endfor %}") == "12");
}

TEST_CASE("What is set in a loop stays there, but a namespace keeps it") {
  CHECK(render("{% set x = 0 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}") == "120");
  CHECK(render("{% set n = namespace(x=0) %}{% for i in [1, 2] %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}") == "3");
  CHECK(render("{% if true %}{% set x = 1 %}{% endif %}{{ x }}") == "1");
}

TEST_CASE("set takes tuples and blocks") {
  CHECK(render("{% set a, b = 1, 'x' %}{{ b }}{{ a }}") == "x1");
  CHECK(render("{% set t %}a{{ 1 }}{% endset %}[{{ t }}]") == "[a1]");
}

TEST_CASE("A macro has positional arguments, arguments by name and defaults, and sees where it was defined") {
  const std::string macro = "{% macro f(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}";
  CHECK(render(macro + "{{ f(1) }} {{ f(1, 3) }} {{ f(b=4, a=5) }} {{ f() }}") == "121 131 545 2");
  CHECK(render("{% macro f() %}{{ x }}{% set x = 2 %}{% endmacro %}{% set x = 1 %}{{ f() }}{{ x }}") == "11");
  CHECK(render("{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}") == "3210");
}

TEST_CASE("A generation is written, and is a scope") {
  CHECK(render("a{% generation %}b{% set x = 1 %}{% endgeneration %}{{ x }}c") == "abc");
}

TEST_CASE("Operators bind as in Jinja") {
  CHECK(value("1 + 2 * 3 - 4") == "3");
  CHECK(value("'1' ~ 2 * 3") == "16");
  CHECK(value("-3 | abs") == "3");
  CHECK(value("1 if false else 2 if false else 3") == "3");
  CHECK(value("not 1 == 2 and true") == "True");
  CHECK(value("true or false and false") == "True");
  CHECK(value("1 < 2 < 3 != 4") == "True");
  CHECK(value("'a' in 'cat' and 1 not in [2]") == "True");
  CHECK(value("1 in [1] == true") == "False");  // a chain: 1 in [1] and [1] == true
  CHECK(value("'a' 'b' \"c\"") == "abc");
  CHECK(value("[1, 2] | first is odd") == "True");
}

TEST_CASE("Numbers compute as in Python") {
  CHECK(value("7 / 2") == "3.5");
  CHECK(value("6 / 2") == "3.0");
  CHECK(value("-7 // 2") == "-4");
  CHECK(value("-7 % 3") == "2");
  CHECK(value("7 % -3") == "-2");
  CHECK(value("7.5 % -2") == "-0.5");
  CHECK(value("true + 1") == "2");
  CHECK(value("1_000 * 2") == "2000");
  CHECK(value("1 == 1.0") == "True");
}

TEST_CASE("Values are written as Python writes them") {
  CHECK(value("[true, none, 1.0, 'it\\'s', \"a\\\"b\"]") == R"([True, None, 1.0, "it's", 'a"b'])");
  CHECK(value("{'a': (1,), 2: [], 'u': missing}") == "{'a': (1,), 2: [], 'u': Undefined}");
  CHECK(value("1e16") == "1e+16");
  CHECK(value("1e15") == "1000000000000000.0");
  CHECK(value("0.1 + 0.2") == "0.30000000000000004");
  CHECK(value("0.00001") == "1e-05");
  CHECK(value("['\\n\\x00é']") == "['\\n\\x00é']");
  CHECK(value("m.keys()", {{"m", {{"a", 1}}}}) == "dict_keys(['a'])");
  CHECK(value("(), (1)") == "((), 1)");
}

TEST_CASE("Escapes in texts are Python's") {
  CHECK(value(R"('\n\t\\\'\x41\u00e9\U0001F999\101\q')") == "\n\t\\'Aé🦙A\\q");
  CHECK(value("'a\\\nb'") == "ab");
}

TEST_CASE("Items, attributes and slices count as in Python") {
  const Json variables{{"l", {1, 2, 3, 4}}, {"m", {{"a", {{"b", "c"}}}, {"items", "key"}}}};
  CHECK(value("l[0], l[-1], l.1", variables) == "(1, 4, 2)");
  CHECK(value("l[1:], l[:-1], l[::-1], l[3:0:-2]", variables) == "([2, 3, 4], [1, 2, 3], [4, 3, 2, 1], [4, 2])");
  CHECK(value("'héllo'[1:3], 'héllo'[-1], 'héllo'[::-1]") == "('él', 'o', 'olléh')");
  CHECK(value("m.a.b ~ m['a']['b']", variables) == "cc");
  CHECK(value("m['items']", variables) == "key");
  CHECK(value("m.items() | length", variables) == "2");  // a method wins over a key
  CHECK(value("l[9] is defined, m.x is defined", variables) == "(False, False)");
}

TEST_CASE("An undefined value is empty text, false, without items") {
  CHECK(value("missing") == "");
  CHECK(value("missing ~ 'x'") == "x");
  CHECK(value("1 if missing else 2") == "2");
  CHECK(value("missing | length") == "0");
  CHECK(value("missing == other") == "True");
  CHECK(value("'a' if false") == "");
  CHECK(value("missing | default('d'), '' | d('d'), '' | d('d', true)") == "('d', '', 'd')");
}

TEST_CASE("Texts have their methods") {
  CHECK(value("'  a '.strip() ~ '|' ~ ' a '.lstrip() ~ '|' ~ ' a '.rstrip()") == "a|a | a");
  CHECK(value("'xyaxy'.strip('xy')") == "a");
  CHECK(value("' \\u00a0\\u2003a\\x1c'.strip()") == "a");  // Python's white space
  CHECK(value("'a,b,,c'.split(','), ' a  b '.split(), 'a b c'.split(none, 1), 'a-b-c'.rsplit('-', 1)") ==
        "(['a', 'b', '', 'c'], ['a', 'b'], ['a', 'b c'], ['a-b', 'c'])");
  CHECK(value("'abc'.startswith('ab'), 'abc'.endswith(('x', 'c'))") == "(True, True)");
  CHECK(value("'aBc dE'.upper(), 'ÄB'.lower(), \"they're aB\".title(), 'aB c'.capitalize()") ==
        "('ABC DE', 'äb', \"They'Re Ab\", 'Ab c')");
  CHECK(value("'aaa'.replace('a', 'b', 2), 'ab'.replace('', '-')") == "('bba', '-a-b-')");
  CHECK(value("'ab\\ncd'.splitlines(), '-'.join(['a', 'b']), 'hello'.find('l'), 'banana'.count('an')") ==
        "(['ab', 'cd'], 'a-b', 2, 2)");
}

TEST_CASE("Dicts have their methods") {
  const Json variables{{"m", {{"a", 1}, {"b", nullptr}}}};
  CHECK(value("m.get('a'), m.get('x'), m.get('x', 2), m.get('b', 3)", variables) == "(1, None, 2, None)");
  CHECK(value("m.keys() | list, m.values() | list, m.items() | list", variables) ==
        "(['a', 'b'], [1, None], [('a', 1), ('b', None)])");
  CHECK(value("dict(m, c=3)", variables) == "{'a': 1, 'b': None, 'c': 3}");
}

TEST_CASE("tojson is Python's json.dumps") {
  CHECK(value("[1, 2.0, true, none, 'a\"\\n\\x01é</b>'] | tojson") == R"([1, 2.0, true, null, "a\"\n\u0001é</b>"])");
  CHECK(value("{'b': [], 'a': {'c': [1, {}]}} | tojson(indent=2)") ==
        "{\n  \"b\": [],\n  \"a\": {\n    \"c\": [\n      1,\n      {}\n    ]\n  }\n}");
  CHECK(value("{'b': 1, 'a': 2} | tojson(sort_keys=true, separators=(',', ':'))") == R"({"a":2,"b":1})");
  CHECK(value("'é🦙' | tojson(ensure_ascii=true)") == R"("\u00e9\ud83e\udd99")");
  CHECK(value("{1: 2, none: 3, true: 4} | tojson") == R"({"1": 4, "null": 3})");
}

TEST_CASE("Filters of texts and numbers") {
  CHECK(value("' a ' | trim, 'ab' | upper, 'AB' | lower, 'aB' | capitalize, \"they're a-b\" | title") ==
        "('a', 'AB', 'ab', 'Ab', \"They're A-B\")");
  CHECK(value("'né' | length, [1] | count, 5 | string, 'x' | safe") == "(2, 1, '5', 'x')");
  CHECK(value("'a\\nb\\n\\nc' | indent(2)") == "a\n  b\n\n  c");
  CHECK(value("'a\\nb' | indent('> ', first=true)") == "> a\n> b");
  CHECK(value("'12' | int, '1.9' | int, 'x' | int(7), 2.9 | int, '1.5' | float, 'x' | float") ==
        "(12, 1, 7, 2, 1.5, 0.0)");
  CHECK(value("-3 | abs, 2.5 | round, 42.55 | round(1, 'floor'), 7 | round") == "(3, 2.0, 42.5, 7)");
  CHECK(value("'a.a' | replace('a', 'b'), 'aa' | replace('a', 'b', 1)") == "('b.b', 'ba')");
}

TEST_CASE("Filters of lists") {
  const Json variables{{"people", {{{"name", "Bo"}, {"age", 3}}, {{"name", "al"}, {"age", 5}}, {{"name", "Cy"}}}}};
  CHECK(
      value("[1, 2] | first, [1, 2] | last, [1, 2] | join('-'), 'ab' | list, [2, 1] | sort, [1, 2] | reverse | list") ==
      "(1, 2, '1-2', ['a', 'b'], [1, 2], [2, 1])");
  CHECK(value("people | map(attribute='name') | join(',')", variables) == "Bo,al,Cy");
  CHECK(value("people | map(attribute='age', default=0) | list", variables) == "[3, 5, 0]");
  CHECK(value("['a', 'b'] | map('upper') | list") == "['A', 'B']");
  CHECK(value("people | selectattr('age', 'equalto', 5) | map(attribute='name') | list", variables) == "['al']");
  CHECK(value("people | rejectattr('age') | map(attribute='name') | list", variables) == "['Cy']");
  CHECK(value("[1, 2, 3] | select('odd') | list, [0, 1] | reject | list") == "([1, 3], [0])");
  CHECK(value("people | sort(attribute='name') | map(attribute='name') | list", variables) == "['al', 'Bo', 'Cy']");
  CHECK(value("['b', 'A', 'a'] | unique | list, ['b', 'A'] | sort, ['b', 'A'] | sort(reverse=true)") ==
        "(['b', 'A'], ['A', 'b'], ['b', 'A'])");
  CHECK(value("{'b': 1, 'A': 2} | dictsort, {'b': 1} | items | list") == "([('A', 2), ('b', 1)], [('b', 1)])");
}

TEST_CASE("A generator is true, and gives its items once") {
  CHECK(value("1 if [] | select | list else 2") == "2");
  CHECK(value("1 if [] | select else 2") == "1");
  CHECK(render("{% set g = [1, 2] | map('string') %}{{ g | join }}{{ g | join }}") == "12");
}

TEST_CASE("Tests after is") {
  CHECK(
      value(
          "1 is defined, x is undefined, none is none, 'a' is string, {} is mapping, [] is sequence, 1 is iterable") ==
      "(True, True, True, True, True, True, False)");
  CHECK(value("1 is number, 1 is integer, 1.0 is float, true is boolean, true is true, 1 is true, false is false") ==
        "(True, True, True, True, True, False, True)");
  CHECK(value("1 is odd, 2 is even, 9 is divisibleby 3, 1 is equalto 1, 1 is in [1], 1 is not in [2], 2 is gt 1") ==
        "(True, True, True, True, True, True, True)");
  CHECK(value("'a' is lower, 'A' is upper, none is sameas none, 'a' is not none") == "(True, True, True, True)");
}

TEST_CASE("Functions") {
  CHECK(value("range(3) | list, range(5, 1, -2) | list") == "([0, 1, 2], [5, 3])");
  CHECK(value("namespace(a=1).a") == "1");
  CHECK(value("strftime_now is defined") == "False");
  std::tm now{};
  now.tm_mday = 26, now.tm_mon = 6, now.tm_year = 124;
  CHECK(jinja::Template("{{ strftime_now('%d %b %Y') }}").render(Json::object(), now) == "26 Jul 2024");
}
