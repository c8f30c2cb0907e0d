#include "app/run/constraint.hpp"

#include "app/texts/stories.hpp"
#include "chapters/22-serving/json_schema.hpp"
#include "chapters/22-serving/schema_constraint.hpp"
#include "chapters/22-serving/story_constraint.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

Constraints::Constraints(const std::string& schema, const std::string& grammar, const ModelView& model,
                         const std::vector<TokenId>& ends) {
  if (schema.empty() && grammar.empty()) return;
  if (!schema.empty() && !grammar.empty())
    throw UserError("both --schema and --grammar are given, expected one of them");
  if (!model.tokenizer)
    throw UserError("the model's folder has no tokenizer.json, expected one to say what its tokens stand for");
  trie_ = std::make_shared<TokenTrie>(*model.tokenizer, ends);
  if (!grammar.empty()) {
    const std::filesystem::path file = grammar_file(grammar == "stories" ? "" : grammar);
    if (file != "-") source_ = read_file(file);  // standard input is read once
    grammar_ = Grammar::load(file);
  } else {
    source_ = schema == "object" ? schema : read_file(schema);
    schema_ = std::make_shared<SchemaConstraint>(trie_,
                                                 schema == "object" ? object_grammar() : parse_schema(source_, schema));
  }
}

std::shared_ptr<const TokenConstraint> Constraints::of(std::string_view prompt) const {
  if (grammar_) return std::make_shared<StoryConstraint>(trie_, *grammar_, prompt);
  return schema_;
}

}  // namespace cria
