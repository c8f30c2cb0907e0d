#include "lib/jinja/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "lib/jinja/call.hpp"

namespace cria::jinja {

using Kind = Expression::Kind;

Block parse(const std::string& source) { return Parser(tokenize(source)).parse(); }

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (parser.depth_ == deepest_source) parser.fail(fmt::format("nested more than {} deep", deepest_source));
  ++parser.depth_;
}

void Parser::fail(const std::string& message) const {
  Failure failure(message);
  failure.line = token().line;
  throw failure;
}

void Parser::fail_expected(std::string_view expected) const {
  switch (token().kind) {
    case Token::Kind::end:
      fail(fmt::format("expected {}, found the end of the template", expected));
    case Token::Kind::data:
      fail(fmt::format("expected {}, found text", expected));
    case Token::Kind::text:
      fail(fmt::format("expected {}, found a text in quotation marks", expected));
    case Token::Kind::begin_output:
    case Token::Kind::begin_statement:
      fail(fmt::format("expected {}, found another tag", expected));
    case Token::Kind::end_output:
    case Token::Kind::end_statement:
      fail(fmt::format("expected {}, found the end of the tag", expected));
    default:
      fail(fmt::format("expected {}, found `{:.40}`", expected, token().text));
  }
}

bool Parser::skip_word(std::string_view word) { return at_word(word) && (take(), true); }
bool Parser::skip_symbol(std::string_view symbol) { return at_symbol(symbol) && (take(), true); }
void Parser::expect_symbol(std::string_view symbol) {
  if (!skip_symbol(symbol)) fail_expected(fmt::format("`{}`", symbol));
}
void Parser::expect_word(std::string_view word) {
  if (!skip_word(word)) fail_expected(fmt::format("`{}`", word));
}
std::string Parser::expect_name() {
  if (token().kind != Token::Kind::name) fail_expected("a name");
  return take().text;
}

Expression Parser::make(Kind kind, std::vector<Expression> children) const {
  Expression expression;
  expression.kind = kind;
  expression.line = token().line;
  expression.children = std::move(children);
  settle(expression);
  return expression;
}

/// Evaluating and freeing an expression go as deep as it is.
void Parser::settle(Expression& expression) const {
  std::size_t depth = 0;
  for (const Expression& child : expression.children) depth = std::max<std::size_t>(depth, child.depth);
  if (depth >= deepest_source) fail(fmt::format("an expression is more than {} operations deep", deepest_source));
  expression.depth = static_cast<std::uint8_t>(depth + 1);
}

bool Parser::at_tuple_end() const {
  return token().kind == Token::Kind::end_output || token().kind == Token::Kind::end_statement || at_symbol(")");
}

/// One expression, or several with commas between them. Before `if` of a for loop there is no choice.
Expression Parser::parse_tuple(bool with_choice, bool may_be_empty) {
  Expression tuple = make(Kind::tuple);
  bool has_comma = false;
  while (!at_tuple_end()) {
    tuple.children.push_back(with_choice ? parse_expression() : parse_either());
    if (!skip_symbol(",")) break;
    has_comma = true;
  }
  if (!has_comma && tuple.children.size() == 1) {
    Expression single = std::move(tuple.children[0]);
    return single;
  }
  if (tuple.children.empty() && !may_be_empty) fail_expected("an expression");
  settle(tuple);
  return tuple;
}

Expression Parser::parse_expression() {
  const Nesting nesting(*this);
  Expression result = parse_either();
  while (skip_word("if")) {
    Expression condition = parse_either();
    Expression choice = make(Kind::choice);
    choice.children.push_back(std::move(result));
    choice.children.push_back(std::move(condition));
    if (skip_word("else")) choice.children.push_back(parse_expression());
    settle(choice);
    result = std::move(choice);
  }
  return result;
}

Expression Parser::parse_either() {
  Expression first = parse_both();
  if (!at_word("or")) return first;
  Expression either = make(Kind::either);
  either.children.push_back(std::move(first));
  while (skip_word("or")) either.children.push_back(parse_both());
  settle(either);
  return either;
}

Expression Parser::parse_both() {
  Expression first = parse_negation();
  if (!at_word("and")) return first;
  Expression both = make(Kind::both);
  both.children.push_back(std::move(first));
  while (skip_word("and")) both.children.push_back(parse_negation());
  settle(both);
  return both;
}

Expression Parser::parse_negation() {
  if (!at_word("not")) return parse_comparison();
  const Nesting nesting(*this);
  Expression negation = make(Kind::negation);
  take();
  negation.children.push_back(parse_negation());
  settle(negation);
  return negation;
}

Expression Parser::parse_comparison() {
  static constexpr std::pair<std::string_view, Operator> symbols[] = {
      {"==", Operator::equal},         {"!=", Operator::unequal}, {"<=", Operator::less_equal},
      {">=", Operator::greater_equal}, {"<", Operator::less},     {">", Operator::greater}};
  Expression first = parse_sum();
  Expression comparison = make(Kind::comparison);
  while (true) {
    const auto symbol = std::ranges::find_if(symbols, [this](const auto& entry) { return at_symbol(entry.first); });
    if (symbol != std::end(symbols)) {
      take();
      comparison.operators.push_back(symbol->second);
    } else if (skip_word("in")) {
      comparison.operators.push_back(Operator::in);
    } else if (at_word("not") && next_token().kind == Token::Kind::name && next_token().text == "in") {
      take(), take();
      comparison.operators.push_back(Operator::not_in);
    } else {
      break;
    }
    if (comparison.children.empty()) comparison.children.push_back(std::move(first));
    comparison.children.push_back(parse_sum());
  }
  if (comparison.children.empty()) return first;
  settle(comparison);
  return comparison;
}

Expression Parser::parse_sum() {
  Expression first = parse_concatenation();
  if (!at_symbol("+") && !at_symbol("-")) return first;
  Expression sum = make(Kind::arithmetic);
  sum.children.push_back(std::move(first));
  while (at_symbol("+") || at_symbol("-")) {
    sum.operators.push_back(take().text == "+" ? Operator::add : Operator::subtract);
    sum.children.push_back(parse_concatenation());
  }
  settle(sum);
  return sum;
}

Expression Parser::parse_concatenation() {
  Expression first = parse_product();
  if (!at_symbol("~")) return first;
  Expression concatenation = make(Kind::concatenation);
  concatenation.children.push_back(std::move(first));
  while (skip_symbol("~")) concatenation.children.push_back(parse_product());
  settle(concatenation);
  return concatenation;
}

Expression Parser::parse_product() {
  const auto operation = [this]() -> const Operator* {
    static constexpr std::pair<std::string_view, Operator> symbols[] = {
        {"*", Operator::multiply}, {"/", Operator::divide}, {"//", Operator::floor_divide}, {"%", Operator::modulo}};
    for (const auto& [symbol, code] : symbols)
      if (at_symbol(symbol)) return &code;
    return nullptr;
  };
  Expression first = parse_unary();
  if (!operation()) return first;
  Expression product = make(Kind::arithmetic);
  product.children.push_back(std::move(first));
  while (const Operator* code = operation()) {
    take();
    product.operators.push_back(*code);
    product.children.push_back(parse_unary());
  }
  settle(product);
  return product;
}

Expression Parser::parse_unary(bool with_filters) {
  Expression result;
  if (at_symbol("-") || at_symbol("+")) {
    const Nesting nesting(*this);
    result = make(at_symbol("-") ? Kind::negative : Kind::positive);
    take();
    result.children.push_back(parse_unary(false));
    settle(result);
  } else {
    result = parse_primary();
  }
  result = parse_postfix(std::move(result));
  if (with_filters) result = parse_filters(std::move(result));
  if (at_symbol("**")) fail("the operator `**` is not supported");
  return result;
}

}  // namespace cria::jinja
