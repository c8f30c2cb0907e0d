// A template after parsing: expressions, and the statements that contain them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/jinja/operators.hpp"

namespace cria::jinja {

struct Expression {
  enum class Kind : std::uint8_t {
    literal,    // value
    name,       // name
    list,       // children
    tuple,      // children
    dict,       // children: key, value, key, value …
    attribute,  // children[0].name
    item,       // children[0][children[1]]
    slice,      // children[0][children[1]:children[2]:children[3]], undefined literals where nothing stands
    call,       // children[0](the others); the last names.size() of them are keyword arguments
    filter,     // children[0] | name(the others), the same
    test,       // children[0] is name(the others), the same
    negative,
    positive,
    negation,
    both,           // children[0] and children[1] and …
    either,         // or
    choice,         // children[0] if children[1] else children[2], which may be missing
    concatenation,  // ~
    arithmetic,     // children[0] operators[0] children[1] operators[1] …, from the left
    comparison,     // the same, all of which must hold
  };
  Kind kind = Kind::literal;
  std::uint8_t depth = 1;  // at most deepest_source
  std::uint32_t line = 0;
  Value value;
  std::string name;
  Native native = nullptr;  // of a filter or test
  std::vector<Expression> children;
  std::vector<std::string> names;
  std::vector<Operator> operators;
};

/// What `set` and `for` assign to: a name, name.attribute of a namespace, or several targets to unpack into.
struct Target {
  std::string name, attribute;
  std::vector<Target> parts;
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind : std::uint8_t {
    text,         // text
    output,       // expressions[0]
    conditional,  // blocks[i] for the first expressions[i] that holds, else the block after them
    loop,         // for target in expressions[0] if expressions[1], which may be missing; blocks[1] where it ran never
    leave,
    next,        // break, continue
    assign,      // set target = expressions[0]
    capture,     // set target to what blocks[0] writes
    macro,       // text(parameters), the last of which have expressions as defaults
    generation,  // blocks[0], which an assistant has generated
  };
  Kind kind = Kind::text;
  std::uint32_t line = 0;
  std::string text;
  Target target;
  std::vector<std::string> parameters;
  std::vector<Expression> expressions;
  std::vector<Block> blocks;
};

/// Throws Failure with a line, also for every filter and test that is not known.
Block parse(const std::string& source);

}  // namespace cria::jinja
