// One rule for each schema within the schema.
#include "chapters/22-serving/json_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "chapters/22-serving/json_values.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t most_rules = 20'000, most_symbols = 256 << 10;
constexpr size_t deepest_schema = 200;  // schemas in schemas, each of which takes stack
constexpr size_t most_counted = 4096;   // minLength, maxItems, …
constexpr size_t longest_schema = 64 << 10;

const std::vector<std::string_view> describing = {"title", "description", "default",    "examples", "$schema",
                                                  "$id",   "$comment",    "deprecated", "$defs",    "definitions"};

class SchemaReader {
 public:
  explicit SchemaReader(const Json& root, const std::string& what) : root_(root), what_(what), values_(grammar_) {}

  ByteGrammar read() {
    const ByteSymbol value = read(root_, what_);
    grammar_.start = grammar_.add({{values_.space(), value}});
    check_byte_grammar(grammar_, what_);
    return std::move(grammar_);
  }

 private:
  [[noreturn]] static void fail(const std::string& at, const std::string& message) {
    throw UserError(at + ": " + message);
  }

  void check_size(const std::string& at) const {
    if (grammar_.rules.size() > most_rules) fail(at, fmt::format("more than {} rules, too large", most_rules));
    if (grammar_.symbols > most_symbols) fail(at, fmt::format("more than {} symbols, too large", most_symbols));
  }

  /// A schema within the schema; also that of a reference, so a short text may nest deeply.
  ByteSymbol read(const Json& schema, const std::string& at) {
    check_size(at);
    if (++depth_ > deepest_schema) fail(at, fmt::format("more than {} schemas in each other", deepest_schema));
    const ByteSymbol value = read_schema(schema, at);
    --depth_;
    return value;
  }

  ByteSymbol read_schema(const Json& schema, const std::string& at) {
    if (schema == Json(true)) return values_.any();
    if (!schema.is_object()) fail(at, "expected an object, a schema");
    if (schema.contains("$ref")) return only(schema, at, {"$ref"}), read_reference(schema["$ref"], at);
    if (schema.contains("anyOf")) return only(schema, at, {"anyOf"}), read_any_of(schema["anyOf"], at + "/anyOf");
    if (schema.contains("enum")) return only(schema, at, {"enum", "type"}), read_enum(schema["enum"], schema, at);
    if (schema.contains("const"))
      return only(schema, at, {"const", "type"}), read_enum(Json::array({schema["const"]}), schema, at);
    if (!schema.contains("type")) {
      if (schema.contains("properties")) return read_type("object", schema, at);
      if (schema.contains("items")) return read_type("array", schema, at);
      return only(schema, at, {}), values_.any();
    }
    const Json& type = schema["type"];
    if (type.is_string()) return read_type(type.get<std::string>(), schema, at);
    if (!type.is_array() || type.empty()) fail(at + "/type", "expected the name of a type, or a list of names");
    std::vector<ByteSequence> ways;
    for (const Json& one : type) {
      if (!one.is_string()) fail(at + "/type", "expected names of types");
      check_size(at);
      ways.push_back({read_type(one.get<std::string>(), schema, at, type)});
    }
    return the_rule(grammar_.add(std::move(ways)));
  }

  /// Refuses every key but these, and those that only describe.
  void only(const Json& schema, const std::string& at, std::vector<std::string_view> keys) const {
    for (const auto& [key, value] : schema.items())
      if (std::ranges::find(keys, key) == keys.end() && std::ranges::find(describing, key) == describing.end())
        fail(at, fmt::format("the keyword {} is not supported here", in_quotes(key)));
  }

  /// `types` are those that the schema allows, whose keywords may all be there.
  ByteSymbol read_type(const std::string& type, const Json& schema, const std::string& at,
                       const Json& types = Json::array()) {
    std::vector<std::string_view> keys = {"type"};
    const auto may_have = [&](std::string_view name, std::vector<std::string_view> own) {
      if (type == name || std::ranges::find(types, Json(name)) != types.end())
        keys.insert(keys.end(), own.begin(), own.end());
    };
    may_have("object", {"properties", "required", "additionalProperties"});
    may_have("array", {"items", "minItems", "maxItems"});
    may_have("string", {"minLength", "maxLength"});
    only(schema, at, keys);
    if (type == "object") return read_object(schema, at);
    if (type == "array") {
      const auto [least, most] = counts(schema, "minItems", "maxItems", at);
      return values_.array(schema.contains("items") ? read(schema["items"], at + "/items") : values_.any(), least,
                           most);
    }
    if (type == "string") {
      const auto [least, most] = counts(schema, "minLength", "maxLength", at);
      return values_.string(least, most);
    }
    if (type == "number") return values_.number();
    if (type == "integer") return values_.integer();
    if (type == "boolean") return values_.boolean();
    if (type == "null") return values_.null();
    fail(at + "/type", fmt::format("there is no type {}", in_quotes(type)));
  }

  std::pair<size_t, std::optional<size_t>> counts(const Json& schema, const char* least, const char* most,
                                                  const std::string& at) const {
    const auto count = [&](const char* key) -> std::optional<size_t> {
      if (!schema.contains(key)) return std::nullopt;
      const Json& value = schema[key];
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most_counted)
        fail(at + "/" + key, fmt::format("expected a whole number, at most {}", most_counted));
      return value.get<size_t>();
    };
    const size_t from = count(least).value_or(0);
    const std::optional<size_t> to = count(most);
    if (to && *to < from) fail(at, fmt::format("{} is more than {}", least, most));
    return {from, to};
  }

  ByteSymbol read_object(const Json& schema, const std::string& at) {
    const Json properties = schema.value("properties", Json::object());
    const Json more = schema.value("additionalProperties", Json(true));
    const Json required = schema.value("required", Json::array());
    if (!properties.is_object()) fail(at + "/properties", "expected an object");
    if (!required.is_array()) fail(at + "/required", "expected a list of names");
    std::set<std::string> names, required_names;
    for (const auto& property : properties.items()) names.insert(property.key());
    for (const Json& name : required) {
      if (!name.is_string() || !names.contains(name.get<std::string>()))
        fail(at + "/required", "expected names of properties, found " + shown_json(nlohmann::json(name)));
      required_names.insert(name.get<std::string>());
    }
    if (properties.empty() && more == Json(true)) return values_.any_object();
    if (properties.empty() && more.is_object()) return values_.dictionary(read(more, at + "/additionalProperties"));
    if (!more.is_boolean()) fail(at + "/additionalProperties", "beside properties, expected true or false");
    // From the last property back: what may come behind those before it, where one of them is written, and where none
    // is.
    RuleId behind_some = grammar_.add({{values_.space(), one_of("}")}}), behind_none = grammar_.add({literal("}")});
    for (auto property = properties.end(); property != properties.begin();) {
      --property;
      const ByteSymbol value = read(property.value(), at + "/properties/" + property.key());
      // solution: property
      const ByteSequence written = ByteSequence{values_.space()} + literal(as_text(property.key()) + ":") +
                                   ByteSequence{values_.space(), value, the_rule(behind_some)};
      std::vector<ByteSequence> some = {literal(",") + written}, none = {written};
      if (!required_names.contains(property.key())) {
        some.push_back({the_rule(behind_some)});
        none.push_back({the_rule(behind_none)});
      }
      behind_some = grammar_.add(std::move(some));
      behind_none = grammar_.add(std::move(none));
      // end of solution
    }
    return the_rule(grammar_.add({{one_of("{"), the_rule(behind_none)}}), true);
  }

  ByteSymbol read_any_of(const Json& schemas, const std::string& at) {
    if (!schemas.is_array() || schemas.empty()) fail(at, "expected a list of schemas");
    std::vector<ByteSequence> ways;
    for (size_t i = 0; i < schemas.size(); ++i) ways.push_back({read(schemas[i], fmt::format("{}/{}", at, i))});
    return the_rule(grammar_.add(std::move(ways)));
  }

  ByteSymbol read_enum(const Json& values, const Json& schema, const std::string& at) {
    if (!values.is_array() || values.empty()) fail(at + "/enum", "expected a list of values");
    std::vector<ByteSequence> ways;
    for (const Json& value : values)
      if (!schema.contains("type") || is_of(value, schema["type"])) ways.push_back(literal(as_text(value)));
    if (ways.empty()) fail(at, "no value of enum is of the type");
    return the_rule(grammar_.add(std::move(ways)));
  }

  static bool is_of(const Json& value, const Json& type) {
    if (type.is_array()) return std::ranges::any_of(type, [&](const Json& one) { return is_of(value, one); });
    const bool whole = value.is_number_integer() || (value.is_number() && std::trunc(value.get<double>()) == value);
    return (type == "integer" && whole) || (type == "number" && value.is_number()) || type == value.type_name();
  }

  static std::string as_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

  ByteSymbol read_reference(const Json& reference, const std::string& at) {
    const std::string name = reference.is_string() ? reference.get<std::string>() : "";
    const Json* target = name == "#" ? &root_ : nullptr;
    for (const std::string folder : {"$defs", "definitions"})
      if (name.starts_with("#/" + folder + "/") && root_.contains(folder) && root_[folder].is_object()) {
        const std::string key = name.substr(folder.size() + 3);
        if (root_[folder].contains(key)) target = &root_[folder][key];
      }
    if (!target)
      fail(at + "/$ref", fmt::format("expected \"#\" or the place of a schema in $defs, found {}", in_quotes(name)));
    const auto [known, is_new] = references_.try_emplace(name, 0);
    if (is_new) {
      known->second = grammar_.add();  // known from here on, as the schema may lead back to itself
      const RuleId rule = known->second;
      const ByteSymbol value = read(*target, what_ + name.substr(1));
      grammar_.rules[rule] = {{value}};
      return the_rule(rule);
    }
    return the_rule(known->second);
  }

  const Json& root_;
  const std::string what_;
  ByteGrammar grammar_;
  JsonValues values_;
  std::map<std::string, RuleId> references_;
  size_t depth_ = 0;  // of the schema that is read
};

void require_short(size_t bytes, const std::string& what) {
  if (bytes > longest_schema)
    throw UserError(fmt::format("{} is too long: expected at most {} bytes", what, longest_schema));
}

}  // namespace

ByteGrammar schema_grammar(const nlohmann::ordered_json& schema, const std::string& what) {
  require_short(schema.dump(-1, ' ', false, Json::error_handler_t::replace).size(), what);
  return SchemaReader(schema, what).read();
}

ByteGrammar parse_schema(std::string_view schema, const std::string& what) {
  require_short(schema.size(), what);
  return schema_grammar(parse_ordered_json(schema, what), what);
}

ByteGrammar object_grammar() { return schema_grammar(Json{{"type", "object"}}); }

}  // namespace cria
