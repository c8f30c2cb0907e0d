// Tokenizers of others: published ids, and merges learned from published texts.
#include <algorithm>
#include <optional>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/01-bpe/train.hpp"
#include "chapters/12-open-weights/open_tokenizer.hpp"
#include "lib/base/check.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<TokenId>;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

void check_ids(const Tokenizer& tokenizer, const Json& texts) {
  CHECK(texts.size() > 0);
  for (const Json& entry : texts) {
    const std::string text = entry.at("text");
    const bool parse = entry.value("parse_special", false);
    Ids ids = tokenizer.encode(text, parse ? SpecialText::parse : SpecialText::plain);
    if (entry.value("bos", false)) ids.insert(ids.begin(), *tokenizer.bos_id());
    if (entry.value("eos", false)) ids.push_back(*tokenizer.eos_id());
    INFO(entry.dump());
    CHECK(ids == entry.at("ids").get<Ids>());
    CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  }
}

// What cria writes as tokenizer.json gives plain texts the same ids. (Behind special tokens it may add a blank.)
void check_saved(const Tokenizer& tokenizer, const Json& texts) {
  const TemporaryFolder folder;
  save_tokenizer(tokenizer.model(), folder.path());
  const Tokenizer saved(load_tokenizer_json(folder.path()));
  for (const Json& entry : texts) {
    const std::string text = entry.at("text");
    INFO(entry.dump());
    CHECK(saved.encode(text) == tokenizer.encode(text));
  }
}

// A list of texts with their ids, as "cases.json" of any name.
std::vector<std::string> lists_of_ids(const Case& c) {
  std::vector<std::string> lists;
  for (const std::string& file : c.files)
    if (file.ends_with("cases.json")) lists.push_back(file);
  return lists;
}

}  // namespace

bool is_tokenizer(const Case& c) {
  return (c.has("tokenizer.json") || c.has_ending(".model")) && !lists_of_ids(c).empty();
}

void check_tokenizer(const Case& c) {
  std::optional<std::vector<Merge>> merges;  // the same in every file of one tokenizer
  for (const std::string& file : c.files) {
    const bool known =
        file == "tokenizer.json" || file.ends_with(".model") || file == "tokenizer.bin" || file.ends_with(".gguf");
    if (!known) continue;
    INFO(file);
    const Tokenizer tokenizer = open_tokenizer(c / file);
    for (const std::string& list : lists_of_ids(c))
      check_ids(tokenizer, c.json(list)), check_saved(tokenizer, c.json(list));
    if (merges) CHECK(tokenizer.model().merges == *merges);
    merges = tokenizer.model().merges;
    if (!c.has("special_tokens.json") || file == "tokenizer.json") continue;
    const Json special = c.json("special_tokens.json");
    CHECK(split_pattern_of(special.at("pattern").get<std::string>()) == tokenizer.model().pattern);
    for (const auto& [token, id] : special.at("special_llama3_1").items()) CHECK(tokenizer.special_id(token) == id);
  }
}

bool has_learned_merges(const Case& c) {
  return std::ranges::any_of(
      c.files, [&](const std::string& file) { return file.ends_with(".json") && c.json(file).contains("merges_hex"); });
}

void check_learned_merges(const Case& c) {
  const std::filesystem::path all = *find_cases();  // the texts lie there
  for (const std::string& file : c.files) {
    if (!file.ends_with(".json")) continue;
    const Json golden = c.json(file);
    if (!golden.contains("merges_hex")) continue;
    INFO(file);
    BpeOptions how;
    how.vocabulary_size = golden.at("vocab_size");
    how.pattern = split_pattern_of(golden.at("pattern").get<std::string>()).value();
    how.special_tokens = golden.at("special_tokens");
    const BpeModel model = train_bpe_on_files({all / golden.at("text").get<std::string>()}, how);
    REQUIRE(model.merges.size() == golden["merges_hex"].size());
    for (size_t i = 0; i < model.merges.size(); ++i) {
      INFO("merge " << i);
      CHECK(model.vocabulary[static_cast<size_t>(model.merges[i].left)] == from_hex(golden["merges_hex"][i][0]));
      CHECK(model.vocabulary[static_cast<size_t>(model.merges[i].right)] == from_hex(golden["merges_hex"][i][1]));
    }
  }
}

}  // namespace cria::testing
