// JSON schema, the part of it that clients ask for, as rules of bytes.
//
// What is understood: type (also a list of types), properties, required, additionalProperties, items, minItems,
// maxItems, minLength, maxLength, enum, const, anyOf, and $ref to $defs, definitions or "#", also to itself. What only
// describes (title, description, default, examples, $schema, $id, $comment, deprecated) is passed over. Anything else
// is refused by name: a constraint that was half understood would promise what it does not keep.
//
// Of all JSON that fits, one way to write it is allowed:
// - properties come in the schema's order; those that it does not list are not written;
// - white space only where lines may break, and there nothing, a blank, or a line end with up to 20 blanks;
// - numbers with up to 16 digits before and behind the point, and 2 in the exponent; values of enum and const as they
//   are written without spaces.
//
// Left out: where an object's names are free, that none comes twice. It would need a memory of all names so far.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "chapters/22-serving/byte_grammar.hpp"

namespace cria {

/// The JSON texts that fit the schema, in this way of writing. Throws UserError "<what>/properties/age: …" for what is
/// not understood, for a schema that nothing fits, or nothing of at most 64 levels, and for one that is too large: more
/// than 64 KiB as a text, 200 schemas in each other (those of references too), or 20 000 rules or 256 Ki symbols, which
/// are counted before each schema is read, so the last one may go beyond.
ByteGrammar schema_grammar(const nlohmann::ordered_json& schema, const std::string& what = "schema");
/// The same of its text.
ByteGrammar parse_schema(std::string_view schema, const std::string& what = "schema");

/// Any JSON object.
ByteGrammar object_grammar();

}  // namespace cria
