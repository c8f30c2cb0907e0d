// Reads tokens into statements and expressions, by recursive descent; the grammar and its precedences are Jinja's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/jinja/lexer.hpp"
#include "lib/jinja/syntax.hpp"

namespace cria::jinja {

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Block parse();

 private:
  using Words = std::initializer_list<std::string_view>;

  /// Counts how deep the parser is in itself.
  class Nesting {
   public:
    explicit Nesting(Parser& parser);
    ~Nesting() { --parser_.depth_; }

   private:
    Parser& parser_;
  };

  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void fail_expected(std::string_view expected) const;
  const Token& token() const { return tokens_[at_]; }
  const Token& next_token() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool at_word(std::string_view word) const { return token().kind == Token::Kind::name && token().text == word; }
  bool at_symbol(std::string_view symbol) const {
    return token().kind == Token::Kind::symbol && token().text == symbol;
  }
  bool skip_word(std::string_view word);
  bool skip_symbol(std::string_view symbol);
  void expect_symbol(std::string_view symbol);
  void expect_word(std::string_view word);
  std::string expect_name();
  void end_statement();

  // parse_statement.cpp
  Block parse_block(Words ends);
  Statement parse_statement();
  void parse_if(Statement& statement);
  void parse_for(Statement& statement);
  void parse_set(Statement& statement);
  void parse_macro(Statement& statement);
  Target parse_target(bool in_set);
  Target parse_single_target(bool in_set);

  // parser.cpp
  Expression parse_tuple(bool with_choice, bool may_be_empty = false);
  bool at_tuple_end() const;
  Expression parse_expression();
  Expression parse_either();
  Expression parse_both();
  Expression parse_negation();
  Expression parse_comparison();
  Expression parse_sum();
  Expression parse_concatenation();
  Expression parse_product();
  Expression parse_unary(bool with_filters = true);

  // parse_primary.cpp
  Expression parse_primary();
  template <class Number>
  Number parse_number();
  Expression parse_postfix(Expression expression);
  Expression parse_call(Expression callee);
  Expression parse_subscript(Expression object);
  Expression parse_filters(Expression expression);
  Expression parse_filter(Expression subject);
  Expression parse_test(Expression subject);
  void parse_items(Expression& list, std::string_view closing, bool pairs);
  void parse_arguments(Expression& call);

  // parser.cpp
  Expression make(Expression::Kind kind, std::vector<Expression> children = {}) const;
  void settle(Expression& expression) const;

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t loops_ = 0;  // that break and continue here are in
};

}  // namespace cria::jinja
