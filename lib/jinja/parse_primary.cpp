// Literals, names, and what follows them: attributes, items, calls, filters and tests.
#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "lib/jinja/call.hpp"
#include "lib/jinja/parser.hpp"

namespace cria::jinja {

using Kind = Expression::Kind;

template <class Number>
Number Parser::parse_number() {
  const std::string& digits = token().text;
  Number number{};
  if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc())
    fail(fmt::format("the number {:.40} is out of range", digits));
  take();
  return number;
}

Expression Parser::parse_primary() {
  Expression literal = make(Kind::literal);
  if (skip_symbol("(")) {
    const Nesting nesting(*this);
    Expression inside = parse_tuple(true, true);
    expect_symbol(")");
    return inside;
  }
  if (skip_symbol("[")) {
    Expression list = make(Kind::list);
    parse_items(list, "]", false);
    return list;
  }
  if (skip_symbol("{")) {
    Expression dict = make(Kind::dict);
    parse_items(dict, "}", true);
    return dict;
  }
  switch (token().kind) {
    case Token::Kind::text: {
      std::string text;
      while (token().kind == Token::Kind::text) text += take().text;  // neighbours are one text
      literal.value = {std::make_shared<const std::string>(std::move(text))};
      return literal;
    }
    case Token::Kind::integer:
      literal.value = {parse_number<std::int64_t>()};
      return literal;
    case Token::Kind::number:
      literal.value = {parse_number<double>()};
      return literal;
    case Token::Kind::name:
      break;
    default:
      fail_expected("an expression");
  }
  std::string name = take().text;
  if (name == "true" || name == "True")
    literal.value = Value::boolean(true);
  else if (name == "false" || name == "False")
    literal.value = Value::boolean(false);
  else if (name == "none" || name == "None")
    literal.value = Value::none();
  else
    literal.kind = Kind::name, literal.name = std::move(name);
  return literal;
}

/// The items of a list, or the keys and values of a dict.
void Parser::parse_items(Expression& list, std::string_view closing, bool pairs) {
  while (!at_symbol(closing)) {
    list.children.push_back(parse_expression());
    if (pairs) {
      expect_symbol(":");
      list.children.push_back(parse_expression());
    }
    if (!skip_symbol(",")) break;
  }
  expect_symbol(closing);
  settle(list);
}

Expression Parser::parse_postfix(Expression expression) {
  while (true) {
    if (skip_symbol(".")) {
      Expression access = make(token().kind == Token::Kind::integer ? Kind::item : Kind::attribute);
      access.children.push_back(std::move(expression));
      if (access.kind == Kind::item)
        access.children.push_back(parse_primary());
      else
        access.name = expect_name();
      settle(access);
      expression = std::move(access);
    } else if (skip_symbol("[")) {
      expression = parse_subscript(std::move(expression));
    } else if (at_symbol("(")) {
      expression = parse_call(std::move(expression));
    } else {
      return expression;
    }
  }
}

/// Before `(`.
Expression Parser::parse_call(Expression callee) {
  Expression call = make(Kind::call);
  call.children.push_back(std::move(callee));
  parse_arguments(call);
  return call;
}

/// After `[`: an index or start:stop:step.
Expression Parser::parse_subscript(Expression object) {
  Expression access = make(Kind::item);
  access.children.push_back(std::move(object));
  const auto part = [this] {  // nothing where none stands
    return at_symbol(":") || at_symbol("]") ? make(Kind::literal) : parse_expression();
  };
  if (at_symbol("]")) fail_expected("an index");
  access.children.push_back(part());
  if (at_symbol(":")) {
    access.kind = Kind::slice;
    for (int i = 0; i < 2; ++i) {
      const bool stands = skip_symbol(":");
      access.children.push_back(stands ? part() : make(Kind::literal));
    }
  }
  expect_symbol("]");
  settle(access);
  return access;
}

Expression Parser::parse_filters(Expression expression) {
  while (true) {
    if (skip_symbol("|")) {
      expression = parse_filter(std::move(expression));
    } else if (skip_word("is")) {
      expression = parse_test(std::move(expression));
    } else if (at_symbol("(")) {
      expression = parse_call(std::move(expression));
    } else {
      return expression;
    }
  }
}

Expression Parser::parse_filter(Expression subject) {
  Expression filter = make(Kind::filter);
  filter.children.push_back(std::move(subject));
  filter.native = token().kind == Token::Kind::name ? find_filter(token().text) : nullptr;
  if (!filter.native && token().kind == Token::Kind::name)
    fail(fmt::format("the filter `{:.60}` is not supported", token().text));
  filter.name = expect_name();
  if (at_symbol("(")) parse_arguments(filter);
  settle(filter);
  return filter;
}

Expression Parser::parse_test(Expression subject) {
  const bool negated = skip_word("not");
  Expression test = make(Kind::test);
  test.children.push_back(std::move(subject));
  test.native = token().kind == Token::Kind::name ? find_test(token().text) : nullptr;
  if (!test.native && token().kind == Token::Kind::name)
    fail(fmt::format("the test `{:.60}` is not supported", token().text));
  test.name = expect_name();
  if (at_symbol("(")) {
    parse_arguments(test);
  } else if (token().kind == Token::Kind::text || token().kind == Token::Kind::integer ||
             token().kind == Token::Kind::number || at_symbol("[") || at_symbol("{") ||
             (token().kind == Token::Kind::name && !at_word("else") && !at_word("or") && !at_word("and"))) {
    if (at_word("is")) fail("tests with `is` cannot be chained");
    test.children.push_back(parse_postfix(parse_primary()));  // `is divisibleby 3`
  }
  settle(test);
  if (!negated) return test;
  Expression negation = make(Kind::negation);
  negation.children.push_back(std::move(test));
  settle(negation);
  return negation;
}

void Parser::parse_arguments(Expression& call) {
  expect_symbol("(");
  while (!at_symbol(")")) {
    if (at_symbol("*") || at_symbol("**")) fail(fmt::format("`{}` before an argument is not supported", token().text));
    const bool is_named =
        token().kind == Token::Kind::name && next_token().kind == Token::Kind::symbol && next_token().text == "=";
    if (is_named) {
      call.names.push_back(take().text);
      take();
    } else if (!call.names.empty()) {
      fail("an argument without a name follows one with a name");
    }
    call.children.push_back(parse_expression());
    if (!skip_symbol(",")) break;
  }
  expect_symbol(")");
  settle(call);
}

}  // namespace cria::jinja
