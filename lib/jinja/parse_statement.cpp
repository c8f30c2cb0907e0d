#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/jinja/parser.hpp"

namespace cria::jinja {

Block Parser::parse() {
  Block block = parse_block({});
  if (token().kind != Token::Kind::end) fail_expected("the end of the template");
  return block;
}

void Parser::end_statement() {
  if (token().kind != Token::Kind::end_statement) fail_expected("`%}`");
  take();
}

/// Statements up to a tag that begins with one of these words, which is then the current token.
Block Parser::parse_block(Words ends) {
  const std::uint32_t line = token().line;
  Block block;
  while (true) {
    Statement statement;
    statement.line = token().line;
    if (token().kind == Token::Kind::data) {
      statement.text = take().text;
    } else if (token().kind == Token::Kind::begin_output) {
      take();
      statement.kind = Statement::Kind::output;
      statement.expressions.push_back(parse_tuple(true));
      if (token().kind != Token::Kind::end_output) fail_expected("`}}`");
      take();
    } else if (token().kind == Token::Kind::begin_statement) {
      take();
      if (token().kind != Token::Kind::name) fail_expected("the name of a statement");
      if (std::ranges::find(ends, token().text) != ends.end()) return block;
      statement = parse_statement();
    } else if (ends.size() == 0) {
      return block;
    } else {
      Failure failure(fmt::format("`{}` is missing", *(ends.end() - 1)));
      failure.line = line;
      throw failure;
    }
    block.push_back(std::move(statement));
  }
}

Statement Parser::parse_statement() {
  const Nesting nesting(*this);
  Statement statement;
  statement.line = token().line;
  if (at_word("if"))
    parse_if(statement);
  else if (at_word("for"))
    parse_for(statement);
  else if (at_word("set"))
    parse_set(statement);
  else if (at_word("macro"))
    parse_macro(statement);
  else if (at_word("generation")) {
    take();
    end_statement();
    statement.kind = Statement::Kind::generation;
    const std::size_t loops = std::exchange(loops_, 0);
    statement.blocks.push_back(parse_block({"endgeneration"}));
    loops_ = loops;
    take();
  } else if (at_word("break") || at_word("continue")) {
    if (loops_ == 0) fail(fmt::format("`{}` outside a loop", token().text));
    statement.kind = take().text == "break" ? Statement::Kind::leave : Statement::Kind::next;
  } else {
    static constexpr std::string_view ends[] = {"endif",  "elif",     "else",         "endfor",
                                                "endset", "endmacro", "endgeneration"};
    if (std::ranges::find(ends, token().text) != std::end(ends))
      fail(fmt::format("`{}` has no beginning here", token().text));
    fail(fmt::format("the statement `{:.60}` is not supported", token().text));
  }
  end_statement();
  return statement;
}

void Parser::parse_if(Statement& statement) {
  statement.kind = Statement::Kind::conditional;
  do {
    take();
    statement.expressions.push_back(parse_tuple(false));
    end_statement();
    statement.blocks.push_back(parse_block({"elif", "else", "endif"}));
  } while (at_word("elif"));
  if (skip_word("else")) {
    end_statement();
    statement.blocks.push_back(parse_block({"endif"}));
  }
  take();
}

void Parser::parse_for(Statement& statement) {
  statement.kind = Statement::Kind::loop;
  take();
  statement.target = parse_target(false);
  expect_word("in");
  statement.expressions.push_back(parse_tuple(false));
  if (skip_word("if")) statement.expressions.push_back(parse_expression());
  if (at_word("recursive")) fail("`recursive` in a for loop is not supported");
  end_statement();
  ++loops_;
  statement.blocks.push_back(parse_block({"else", "endfor"}));
  --loops_;
  if (skip_word("else")) {
    end_statement();
    statement.blocks.push_back(parse_block({"endfor"}));
  }
  take();
}

void Parser::parse_set(Statement& statement) {
  take();
  statement.target = parse_target(true);
  if (skip_symbol("=")) {
    statement.kind = Statement::Kind::assign;
    statement.expressions.push_back(parse_tuple(true));
    return;
  }
  if (at_symbol("|")) fail("a filter on a `set` block is not supported");
  end_statement();
  statement.kind = Statement::Kind::capture;
  statement.blocks.push_back(parse_block({"endset"}));
  take();
}

void Parser::parse_macro(Statement& statement) {
  statement.kind = Statement::Kind::macro;
  take();
  statement.text = expect_name();
  expect_symbol("(");
  while (!at_symbol(")")) {
    statement.parameters.push_back(expect_name());
    if (skip_symbol("="))
      statement.expressions.push_back(parse_expression());
    else if (!statement.expressions.empty())
      fail("a parameter without a default follows one with a default");
    if (!skip_symbol(",")) break;
  }
  expect_symbol(")");
  end_statement();
  const std::size_t loops = std::exchange(loops_, 0);
  statement.blocks.push_back(parse_block({"endmacro"}));
  loops_ = loops;
  take();
}

/// One target, or several with commas between them.
Target Parser::parse_target(bool in_set) {
  Target first = parse_single_target(in_set);
  if (!at_symbol(",")) return first;
  Target several;
  several.parts.push_back(std::move(first));
  while (skip_symbol(",") && !at_word("in") && !at_symbol("=") && !at_symbol(")"))
    several.parts.push_back(parse_single_target(in_set));
  return several;
}

Target Parser::parse_single_target(bool in_set) {
  const Nesting nesting(*this);
  if (skip_symbol("(")) {
    Target inside = parse_target(in_set);
    expect_symbol(")");
    return inside;
  }
  static constexpr std::string_view constants[] = {"true", "True", "false", "False", "none", "None"};
  Target target;
  if (std::ranges::find(constants, token().text) != std::end(constants)) fail_expected("a name");
  target.name = expect_name();
  if (in_set && skip_symbol(".")) {
    target.attribute = expect_name();
    if (target.attribute.starts_with('_'))
      fail(fmt::format("the attribute `{:.60}` begins with `_`", target.attribute));
  }
  if (!in_set && target.name == "loop") fail("a for loop cannot assign to `loop`");
  return target;
}

}  // namespace cria::jinja
