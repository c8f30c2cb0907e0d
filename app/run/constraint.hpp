// --schema and --grammar: what a text has to be.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chapters/09-sampling/token_constraint.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/22-serving/token_trie.hpp"
#include "lib/grammar/grammar.hpp"

namespace cria {

inline constexpr const char* schema_help =
    "The text is JSON that fits this schema, a file; \"object\": any JSON object";
inline constexpr const char* grammar_help =
    "The text, its prompt included, is a story of this grammar, a file; \"stories\": the built-in one";

class Constraints {
 public:
  /// Of what the options say; both may be empty. Throws UserError where both are given, and for files that are not
  /// understood. The model must outlive it, and it the constraints.
  Constraints(const std::string& schema, const std::string& grammar, const ModelView& model,
              const std::vector<TokenId>& ends);

  /// That of a text behind this prompt; null where nothing is asked.
  std::shared_ptr<const TokenConstraint> of(std::string_view prompt) const;
  /// What the file says, without those that a grammar includes; empty where nothing is asked.
  const std::string& source() const { return source_; }

 private:
  std::string source_;
  std::shared_ptr<const TokenTrie> trie_;
  std::shared_ptr<const TokenConstraint> schema_;
  std::optional<Grammar> grammar_;
};

}  // namespace cria
