// JSON's values as rules of bytes (RFC 8259), for schemas to put together.
#pragma once

#include <optional>

#include "chapters/22-serving/byte_grammar.hpp"

namespace cria {

class JsonValues {
 public:
  /// Adds the rules to the grammar, which must outlive it.
  explicit JsonValues(ByteGrammar& grammar);

  /// Where a line may break: nothing, a blank, or a line end and up to 20 blanks.
  ByteSymbol space() const { return the_rule(space_); }
  ByteSymbol number() const { return the_rule(number_); }
  ByteSymbol integer() const { return the_rule(integer_); }
  ByteSymbol boolean() const { return the_rule(boolean_); }
  ByteSymbol null() const { return the_rule(null_); }
  /// Of so many characters; an escape is one.
  ByteSymbol string(size_t least, std::optional<size_t> most);
  /// Of such values, so many.
  ByteSymbol array(ByteSymbol item, size_t least, std::optional<size_t> most);
  /// With any names, each with such a value.
  ByteSymbol dictionary(ByteSymbol value);
  /// Any value, and any object.
  ByteSymbol any();
  ByteSymbol any_object();

 private:
  RuleId digits(size_t most);  // none to so many
  RuleId character();          // UTF-8 or an escape

  ByteGrammar& grammar_;
  RuleId space_, integer_, number_, boolean_, null_, character_;
  std::optional<RuleId> any_, any_object_;
};

}  // namespace cria
