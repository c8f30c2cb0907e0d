// Tokenizer files: round trips, damaged files, and the published vocabularies and cases of others.
#include "chapters/01-bpe/tokenizer_files.hpp"

#include <nlohmann/json.hpp>

#include "chapters/01-bpe/train.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/bpe_texts.hpp"
#include "tests/testing.hpp"

using namespace cria;

namespace {

using Ids = std::vector<TokenId>;
using nlohmann::json;

BpeModel small_model(SplitPattern pattern) {
  return train_bpe(testing::random_text(2000, 3), {400, pattern, {begin_of_text, end_of_text}, Ties::greatest_bytes});
}

/// A tokenizer.json with one thing changed.
template <class Change>
void check_refused(const std::filesystem::path& file, Change change, const std::string& reason) {
  json document = json::parse(tokenizer_json(small_model(SplitPattern::llama3)));
  change(document);
  write_file_atomically(file, document.dump());
  INFO(reason);
  CHECK_THROWS_AS(Tokenizer(load_tokenizer_json(file)), UserError);
  CHECK_THROWS_WITH(Tokenizer(load_tokenizer_json(file)), testing::contains(reason));
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

void check_cases(const Tokenizer& tokenizer, const std::filesystem::path& file, std::size_t expected_count) {
  const json cases = json::parse(read_file(file));
  CHECK(cases.size() == expected_count);
  for (const json& entry : cases) {
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

}  // namespace

TEST_CASE("every kind of tokenizer is the same after saving and loading") {
  const testing::TemporaryFolder folder;
  for (const BpeModel& model : {small_model(SplitPattern::none), small_model(SplitPattern::gpt2),
                                small_model(SplitPattern::llama3), bytes_model(), characters_model("tiny é\n\"x\\")}) {
    save_tokenizer(model, folder / "tokenizer");
    const BpeModel loaded = load_tokenizer_json(folder / "tokenizer");
    CHECK(loaded.alphabet == model.alphabet);
    CHECK(loaded.pattern == model.pattern);
    CHECK(loaded.ignore_merges == model.ignore_merges);
    CHECK(loaded.merges == model.merges);
    CHECK(loaded.special_tokens == model.special_tokens);
    REQUIRE(loaded.vocabulary.size() == model.vocabulary.size());
    for (std::size_t id = 0; id < model.vocabulary.size(); ++id) REQUIRE(loaded.vocabulary[id] == model.vocabulary[id]);
    CHECK(Tokenizer(loaded).encode("tiny x") == Tokenizer(model).encode("tiny x"));
  }
}

TEST_CASE("a damaged or unsupported tokenizer.json is refused with the reason") {
  const testing::TemporaryFolder folder;
  const auto file = folder / "tokenizer.json";
  const std::string whole = tokenizer_json(small_model(SplitPattern::llama3));
  for (std::size_t length : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 3}) {
    write_file_atomically(file, whole.substr(0, length));
    CHECK_THROWS_WITH(load_tokenizer_json(file), testing::contains("tokenizer.json is damaged"));
  }
  CHECK_THROWS_WITH(load_tokenizer_json(folder / "absent.json"), testing::contains("absent.json"));

  check_refused(
      file, [](json& d) { d.erase("model"); }, "damaged");
  check_refused(
      file, [](json& d) { d["model"]["type"] = "Unigram"; }, "its model is Unigram, not BPE");
  check_refused(
      file, [](json& d) { d["model"]["byte_fallback"] = true; }, "byte_fallback");
  check_refused(
      file,
      [](json& d) {
        d["normalizer"] = {{"type", "NFC"}};
      },
      "normalizer");
  check_refused(
      file, [](json& d) { d["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+"; }, "\\w+");
  check_refused(
      file,
      [](json& d) {
        d["pre_tokenizer"] = {{"type", "Metaspace"}};
      },
      "Metaspace is not supported");
  check_refused(
      file, [](json& d) { d["model"]["merges"][3] = "zz qq"; }, "a merge names \"zz\"");
  check_refused(
      file, [](json& d) { d["model"]["merges"][3] = "zz"; }, "does not name two tokens");
  check_refused(
      file, [](json& d) { d["model"]["merges"][3] = 7; }, "does not name two tokens");
  check_refused(
      file, [](json& d) { d["model"]["vocab"]["a"] = 1000; }, "its vocabulary has no token 97");
  check_refused(
      file, [](json& d) { d["model"]["vocab"]["a"] = 98; }, "two tokens have the id 98");
  for (const json& id : {json("x"), json(97.5), json(true), json(-97), json(4294967393), json(nullptr)}) {
    CAPTURE(id);
    check_refused(
        file, [&](json& d) { d["model"]["vocab"]["a"] = id; }, "a token's id is " + id.dump());
    check_refused(
        file, [&](json& d) { d["added_tokens"][0]["id"] = id; }, "a token's id is " + id.dump());
  }
  check_refused(
      file, [](json& d) { d["model"]["vocab"]["日"] = 400; }, "not written in GPT-2's bytes");
  check_refused(
      file, [](json& d) { d["added_tokens"][0]["content"] = "a"; }, "is empty or there twice");
  check_refused(
      file, [](json& d) { d["added_tokens"][0]["lstrip"] = true; }, "lstrip");
  check_refused(
      file,
      [](json& d) {
        d["model"]["merges"] = json::array();
        d["model"]["vocab"].erase("a");
        d["model"]["vocab"]["aa"] = 97;
      },
      "no token for byte 97");
  CHECK_THROWS_WITH(load_tokenizer(file), testing::contains("tokenizer.json: the vocabulary has no token for byte 97"));
  check_refused(
      file,
      [](json& d) {
        d["added_tokens"][0]["content"] = "qx";
        d["model"]["merges"][3] = "q x";
      },
      "a merge makes the special token qx");
}

TEST_CASE("a tiktoken rank file is read, and a damaged one refused with the line") {
  const testing::TemporaryFolder folder;
  std::string file;
  const auto base64 = [](int byte) {
    const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return std::string{digits[byte >> 2], digits[(byte & 3) << 4], '=', '='};
  };
  for (int byte = 0; byte < 256; ++byte) file += base64(byte) + " " + std::to_string(byte) + "\n";
  file += "YWI= 256\nYmM= 257\nYWJj 258\nYWJjYw== 259\n";  // ab, bc, abc, abcc
  write_file_atomically(folder / "ranks", file);
  const BpeModel model = load_tiktoken(folder / "ranks", {"<s>"});
  CHECK(model.merges ==
        std::vector<Merge>{{'a', 'b', 256}, {'b', 'c', 257}, {'a', 257, 258}, {256, 'c', 258}, {258, 'c', 259}});
  const Tokenizer tokenizer(model);
  CHECK(tokenizer.encode("xabcc") == Ids{'x', 259});
  CHECK(tokenizer.special_id("<s>") == 260);

  const auto check_line = [&](const std::string& bad, const std::string& line) {
    write_file_atomically(folder / "ranks", file + bad);
    CHECK_THROWS_WITH(load_tiktoken(folder / "ranks", {}), testing::contains(line));
  };
  check_line("YWI= 260\n", "line 261: expected a new token in base64 and rank 260");  // "ab" again
  check_line("eHg= 261\n", "line 261");
  check_line("e!g= 260\n", "line 261");
  check_line("260\n", "line 261");
}

TEST_CASE("CS336's corpus gives CS336's merges") {
  const auto cases = testing::cases_folder();
  if (!cases) return;
  const json golden = json::parse(read_file(*cases / "tokenizers/bpe_training/cs336_corpus_en_500.json"));
  CHECK(golden.at("pattern") == split_regex(SplitPattern::gpt2));
  const BpeOptions how = {golden.at("vocab_size"), SplitPattern::gpt2, golden.at("special_tokens"),
                          Ties::greatest_bytes};
  const BpeModel model = train_bpe_on_files({*cases / "texts/corpus.en"}, how);
  REQUIRE(model.merges.size() == golden.at("merges_hex").size());
  for (std::size_t i = 0; i < model.merges.size(); ++i) {
    INFO("merge " << i);
    CHECK(model.vocabulary[static_cast<std::size_t>(model.merges[i].left)] == from_hex(golden["merges_hex"][i][0]));
    CHECK(model.vocabulary[static_cast<std::size_t>(model.merges[i].right)] == from_hex(golden["merges_hex"][i][1]));
  }
}

TEST_CASE("tinyshakespeare has 65 characters") {
  const auto cases = testing::cases_folder();
  if (!cases) return;
  const std::string text = read_file(*cases / "texts/tinyshakespeare.txt");
  const Tokenizer tokenizer(characters_model(text, {}));
  CHECK(tokenizer.vocabulary_size() == 65);
  CHECK(tokenizer.encode("First") == Ids{18, 47, 56, 57, 58});  // as nanoGPT numbers them: by code point
  CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
}

TEST_CASE("Hugging Face's tokenizer.json of a small tiktoken vocabulary gives the published ids, and so do its ranks") {
  const auto cases = testing::cases_folder();
  if (!cases) return;
  const auto folder = *cases / "tokenizers/tiktoken_small";
  const Tokenizer from_json(load_tokenizer_json(folder));
  const Tokenizer from_ranks(load_tiktoken(folder / "tiktoken_small.model", {}));
  check_cases(from_json, folder / "cases.json", 94);
  check_cases(from_ranks, folder / "cases.json", 94);
  CHECK(from_ranks.model().merges == from_json.model().merges);
}

TEST_CASE("Llama 3's rank file gives the published ids") {
  const auto cases = testing::cases_folder();
  if (!cases) return;
  const auto folder = *cases / "tokenizers/llama3";
  const Tokenizer tokenizer = load_tokenizer(folder / "tokenizer.model");
  CHECK(tokenizer.vocabulary_size() == 128256);
  const json special = json::parse(read_file(folder / "special_tokens.json"));
  CHECK(special.at("pattern") == split_regex(SplitPattern::llama3));
  for (const auto& [token, id] : special.at("special_llama3_1").items()) CHECK(tokenizer.special_id(token) == id);
  check_cases(tokenizer, folder / "published_cases.json", 61);
}
