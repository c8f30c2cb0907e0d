// What a template may not say, and what a hostile one may not do: one line, with its place in the template.
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lib/jinja/budget.hpp"
#include "lib/jinja/template.hpp"
#include "tests/testing.hpp"

using namespace cria;
using cria::testing::contains;

namespace {

using Json = nlohmann::ordered_json;

std::string refusal(const std::string& source, const Json& variables = Json::object()) {
  try {
    jinja::Template(source).render(variables);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

std::string repeated(const std::string& text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("What the interpreter does not know is refused by name and line") {
  CHECK(refusal("a\n{% include 'x' %}") == "line 2 of the template: the statement `include` is not supported");
  CHECK(refusal("{{ 1 | wordwrap }}") == "line 1 of the template: the filter `wordwrap` is not supported");
  CHECK(refusal("{% if false %}\n{{ 1 | xmlattr }}{% endif %}") ==
        "line 2 of the template: the filter `xmlattr` is not supported");
  CHECK(refusal("{{ 1 is escaped }}") == "line 1 of the template: the test `escaped` is not supported");
  CHECK(refusal("\n\n{{ lipsum() }}") == "line 3 of the template: 'lipsum' is undefined");
  CHECK(refusal("{{ 'a'.zfill(3) }}") == "line 1 of the template: the method `zfill` of 'str' is not supported");
  CHECK(refusal("{{ {}.copy() }}") == "line 1 of the template: the method `copy` of 'dict' is not supported");
  CHECK(refusal("{{ 2 ** 3 }}") == "line 1 of the template: the operator `**` is not supported");
  CHECK(refusal("{{ '%s' % 1 }}") == "line 1 of the template: formatting a text with `%` is not supported");
  CHECK(refusal("{% for i in [1] recursive %}{% endfor %}") ==
        "line 1 of the template: `recursive` in a for loop is not supported");
  CHECK(refusal("{% for i in [1] %}{{ loop.changed(i) }}{% endfor %}") ==
        "line 1 of the template: `loop.changed` is not supported");
  CHECK(refusal("{% set x | upper %}a{% endset %}") ==
        "line 1 of the template: a filter on a `set` block is not supported");
  CHECK(refusal("{{ range(*[1]) }}") == "line 1 of the template: `*` before an argument is not supported");
  CHECK(refusal("{{ 1 | tojson(cls=2) }}") ==
        "line 1 of the template: `tojson` with the argument `cls` is not supported");
  CHECK(refusal("{{ [1] | map('nope') | list }}") == "line 1 of the template: the filter `nope` is not supported");
  CHECK(refusal("{{ [1] | select('nope') | list }}") == "line 1 of the template: the test `nope` is not supported");
  CHECK(refusal("{{ '\\N{DASH}' }}") == "line 1 of the template: the escape `\\N{…}` in a text is not supported");
}

TEST_CASE("A malformed template is refused with its line and what was expected") {
  CHECK(refusal("\n{{ 1") == "line 2 of the template: a tag is never closed: `}}` is missing");
  CHECK(refusal("{% if 1 %}a") == "line 1 of the template: `endif` is missing");
  CHECK(refusal("{% endif %}") == "line 1 of the template: `endif` has no beginning here");
  CHECK(refusal("{% if 1 %}{% endfor %}") == "line 1 of the template: `endfor` has no beginning here");
  CHECK(refusal("{# a") == "line 1 of the template: a comment is never closed: `#}` is missing");
  CHECK(refusal("{% raw %}a") == "line 1 of the template: `raw` is never closed: `endraw` is missing");
  CHECK(refusal("{{ 'a }}") == "line 1 of the template: a text is never closed");
  CHECK(refusal("{{ 1 + }}") == "line 1 of the template: expected an expression, found the end of the tag");
  CHECK(refusal("{{ 1 2 }}") == "line 1 of the template: expected `}}`, found `2`");
  CHECK(refusal("{{ (1] }}") == "line 1 of the template: `]` without its opening bracket");
  CHECK(refusal("{{ a ? b }}") == "line 1 of the template: `?` has no meaning in a tag");
  CHECK(refusal("{{ }}") == "line 1 of the template: expected an expression, found the end of the tag");
  CHECK(refusal("{% for in x %}{% endfor %}") == "line 1 of the template: expected `in`, found `x`");
  CHECK(refusal("{% set 1 = 2 %}") == "line 1 of the template: expected a name, found `1`");
  CHECK(refusal("{% break %}") == "line 1 of the template: `break` outside a loop");
  CHECK(refusal("{{ 99999999999999999999 }}") ==
        "line 1 of the template: the number 99999999999999999999 is out of range");
  CHECK(refusal("{{ 0x10 }}") == "line 1 of the template: the number `0x` is not written as supported");
  CHECK(refusal("{{ '\\xg' }}") == "line 1 of the template: the escape `\\x` in a text gives no character");
}

TEST_CASE("A template that does what Python refuses is refused with the line") {
  CHECK(refusal("a\n{{ x.y }}") == "line 2 of the template: 'x' is undefined");
  CHECK(refusal("{{ m.a.b }}", {{"m", Json::object()}}) ==
        "line 1 of the template: 'dict object' has no attribute 'a'");
  CHECK(refusal("{{ 'a' + 1 }}") == "line 1 of the template: unsupported operand types for +: 'str' and 'int'");
  CHECK(refusal("{{ 1 < 'a' }}") == "line 1 of the template: '<' not supported between instances of 'int' and 'str'");
  CHECK(refusal("{{ 1 // 0 }}") == "line 1 of the template: division by zero");
  CHECK(refusal("{{ 9223372036854775807 + 1 }}") == "line 1 of the template: a number grows beyond 64 bits");
  CHECK(refusal("{% for i in 5 %}{% endfor %}") == "line 1 of the template: 'int' object is not iterable");
  CHECK(refusal("{% for a, b in [[1]] %}{% endfor %}") == "line 1 of the template: 2 names for 1 values");
  CHECK(refusal("{% macro f(a) %}{% endmacro %}\n{{ f(1, 2) }}") ==
        "line 2 of the template: macro `f` takes 1 arguments, not 2");
  CHECK(refusal("{% macro f(a) %}{% endmacro %}{{ f(b=2) }}") ==
        "line 1 of the template: macro `f` takes no keyword argument `b`");
  CHECK(refusal("{{ [].append(1) }}") ==
        "line 1 of the template: access to attribute 'append' of 'list' object is unsafe.");
  CHECK(refusal("{{ x | tojson }}") == "line 1 of the template: Object of type Undefined is not JSON serializable");
  CHECK(refusal("{{ [1] | map('string') }}") == "line 1 of the template: a generator cannot be written: add `| list`");
  CHECK(refusal("{% set x.y = 1 %}") == "line 1 of the template: `x` is no namespace, so `y` cannot be set in it");
  CHECK(refusal("{{ {[1]: 2} }}") == "line 1 of the template: unhashable type: 'list'");
  CHECK(refusal("{{ strftime_now('%d') }}") == "line 1 of the template: 'strftime_now' is undefined");
}

TEST_CASE("raise_exception refuses with the words of the template") {
  CHECK(refusal("{{ raise_exception('Roles must alternate: ' ~ 1) }}") == "Roles must alternate: 1");
}

TEST_CASE("A message stays on one line of UTF-8 whatever the template says") {
  CHECK(refusal("{{ 1€ }}") == "line 1 of the template: the number `1\uFFFD` is not written as supported");
  CHECK(refusal("{{ m['a\nb'].c }}", {{"m", Json::object()}}).find('\n') == std::string::npos);
}

TEST_CASE("Hostile templates are stopped within two seconds") {
  const std::string range = "{% for i in range(100000) %}";
  const std::vector<std::pair<std::string, std::string>> templates = {
      {std::string(jinja::longest_source + 1, 'a'), "the template has 1000001 bytes, more than 1000000"},
      {"{{ " + repeated("(", 2000) + "1" + repeated(")", 2000) + " }}", "nested more than 100 deep"},
      {"{{ " + repeated("[", 300000) + repeated("]", 300000) + " }}", "nested more than 100 deep"},
      {"{{ " + repeated("not ", 200000) + "1 }}", "nested more than 100 deep"},
      {"{{ " + repeated("-", 900000) + "1 }}", "nested more than 100 deep"},
      {"{{ a" + repeated(".a", 400000) + " }}", "more than 100 operations deep"},
      {"{{ a" + repeated("|abs", 200000) + " }}", "more than 100 operations deep"},
      {"{{ a" + repeated(" if 1", 180000) + " }}", "more than 100 operations deep"},
      {repeated("{% if 1 %}", 90000), "nested more than 100 deep"},
      {repeated("{% for i in x %}", 60000), "nested more than 100 deep"},
      {"{% set " + repeated("(", 400000) + "a" + repeated(")", 400000) + " = 1 %}", "nested more than 100 deep"},
      {"{{ range(100001) }}", "a range is longer than 100000"},
      {"{{ range(-9223372036854775807, 9223372036854775807) }}", "a range is longer than 100000"},
      {range + range + "{% endfor %}{% endfor %}", "too many steps"},
      {range + range + "{{ i }}{% endfor %}{% endfor %}", "the template"},
      {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "macros call each other too deep"},
      {"{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}", "macros call each other too deep"},
      {"{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(40) }}", "too many steps"},
      {"{% set n = namespace(x='aaaaaaaa') %}" + range + "{% set n.x = n.x ~ n.x %}{% endfor %}",
       "a text grows beyond"},
      {"{% set n = namespace(x=[1]) %}" + range + "{% set n.x = n.x + n.x %}{% endfor %}", "too many steps"},
      {"{% set n = namespace(x=[]) %}" + range + "{% set n.x = [n.x] %}{% endfor %}",
       "values are nested more than 100 deep"},
      {"{% set n = namespace(x={}) %}" + range + "{% set n.x = {'a': n.x.items} %}{% endfor %}", "values are nested"},
      {"{% set n = namespace(x=[]) %}{% for i in range(90) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}", "a"},
      {"{% set n = namespace(x=[], y=[]) %}{% for i in range(90) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}"
       "{% endfor %}{{ n.x == n.y }}",
       "too many steps"},
      {"{{ 'a' * 1000000000000 }}", "is repeated more than"},
      {"{{ 'abc' * 15000000 }}", "a text grows beyond"},
      {"{{ [1] * 15000000 }}", "too many steps"},
      {"{% set x = 'a' * 15000000 %}" + range + "{{ 'aaaab' in x }}{% endfor %}", "too many steps"},
      {"{% set x = 'a' * 15000000 %}{{ ('a' * 7000000 ~ 'b') in x }}", "too many steps"},
      {"{% set x = 'a' * 15000000 %}" + range + "{{ x[14000000] }}{% endfor %}", "too many steps"},
      {"{% set x = 'a' * 15000000 %}" + range + "{{ x | upper | length }}{% endfor %}", "the template"},
      {"{% set x = 'a' * 15000000 %}" + range + "{{ x }}{% endfor %}", "the output grows beyond 16000000 bytes"},
      {"{% set x = 'a' * 15000000 %}{{ x.replace('', 'bbbbbbbbbbbbbbbbbbbbbbbbb') }}", "a text grows beyond"},
      {"{% set x = 'a' * 15000000 %}{{ x.strip('b' * 1000000 ~ 'a') }}", "too many steps"},
      {"{{ ('a ' * 7000000).split() }}", "the template"},
      {"{{ ('a' * 7000000) | list }}", "too many steps"},
      {"{{ ('é' * 500000)[::-1] | length }}", "no error"},
      {"{% set x = 'a' * 1000000 %}{{ ([x] * 1000) | join(x) }}", "a text grows beyond"},
      {"{% set x = 'a' * 1000000 %}{{ ([x] * 1000) | map('upper') | list | length }}", "too many steps"},
      {"{{ (range(100000) | list * 20) | sort | length }}", "the template"},
      {"{{ range(100000) | unique | list | length }}", "too many steps"},
      {"{{ range(1000) | list | tojson(indent=1000) }}", "no error"},
      {"{{ range(100000) | list | tojson(indent=1000) }}", "a text grows beyond"},
      {"{{ [[]] | tojson(indent='" + repeated("x", 900000) + "') }}", "no error"},
      {"{% set n = namespace() %}{% set n.n = n %}{{ n.n.n.n.n is defined }}", "no error"},
      {range + "{% set a = namespace(b=namespace()) %}{% endfor %}", "the template"},
      {range + "{% macro f() %}{% endmacro %}{% endfor %}", "no error"},
      {range + range + "{% break %}{% endfor %}{% endfor %}", "the template"},
  };
  for (const auto& [source, expected] : templates) {
    const std::clock_t start = std::clock();
    CHECK_THAT(refusal(source), contains(expected));
    const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;  // of this process
    INFO(source.substr(0, 120));
    CHECK(seconds < 2);
  }
}

TEST_CASE("Hostile variables are refused too") {
  Json deep = 1;
  for (int i = 0; i < 200; ++i) deep = Json::array({deep});
  CHECK(refusal("a", {{"x", deep}}) == "the template: the variables are nested more than 100 deep");
  CHECK(refusal("a", {{"x", 18446744073709551615u}}) ==
        "the template: the variables have a number beyond 64 bits, 18446744073709551615");
  CHECK_THROWS_AS(jinja::Template("a").render(Json::array()), ContractError);
  const std::string broken = "a\xff\xc3 \xe2\x82";  // no UTF-8
  CHECK(jinja::Template("{{ x | upper }}{{ x[::-1] }}{{ x | length }}").render({{"x", broken}}) ==
        "A\xff\xc3 \xe2\x82\x82\xe2 \xc3\xff"
        "a6");
}
