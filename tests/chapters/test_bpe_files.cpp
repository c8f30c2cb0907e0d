// Tokenizer files: round trips and damaged files. Those of others are among the reference cases.
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

/// As Hugging Face's trainer numbers tokens, and with special tokens that are not written in GPT-2's bytes.
BpeModel specials_first() {
  BpeModel model = bytes_model({});
  model.vocabulary = {};
  add_special_tokens(model, {"<s>", "end of text", "日"});
  for (int byte = 0; byte < 256; ++byte) model.vocabulary.insert(std::string(1, static_cast<char>(byte)));
  model.merges = {{3 + 'a', 3 + 'b', static_cast<TokenId>(model.vocabulary.insert("ab"))}};
  return model;
}

BpeModel characters_with_merges() {
  BpeModel model = characters_model("a b tiny x");
  model.merges = {{0, 2, static_cast<TokenId>(model.vocabulary.insert(" b"))}};
  model.merges.push_back({1, model.merges[0].result, static_cast<TokenId>(model.vocabulary.insert("a b"))});
  return model;
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

}  // namespace

TEST_CASE("every kind of tokenizer is the same after saving and loading") {
  const testing::TemporaryFolder folder;
  BpeModel composing = bytes_model();
  composing.composes = true;
  for (const BpeModel& model :
       {small_model(SplitPattern::none), small_model(SplitPattern::gpt2), small_model(SplitPattern::smollm),
        small_model(SplitPattern::llama3), small_model(SplitPattern::qwen2), small_model(SplitPattern::cl100k),
        small_model(SplitPattern::llama_cpp), bytes_model(), composing, characters_model("tiny é\n\"x\\"),
        specials_first(), characters_with_merges()}) {
    save_tokenizer(model, folder / "tokenizer");
    const BpeModel loaded = load_tokenizer_json(folder / "tokenizer");
    CHECK(loaded.alphabet == model.alphabet);
    CHECK(loaded.pattern == model.pattern);
    CHECK(loaded.ignore_merges == model.ignore_merges);
    CHECK(loaded.composes == model.composes);
    CHECK(loaded.merges == model.merges);
    CHECK(loaded.special_tokens == model.special_tokens);
    REQUIRE(loaded.vocabulary.size() == model.vocabulary.size());
    for (std::size_t id = 0; id < model.vocabulary.size(); ++id) REQUIRE(loaded.vocabulary[id] == model.vocabulary[id]);
    CHECK(Tokenizer(loaded).encode("tiny x") == Tokenizer(model).encode("tiny x"));
  }
}

TEST_CASE("special tokens stand in the vocabulary of a tokenizer.json as plain text, and merges with spaces as pairs") {
  const json special = json::parse(tokenizer_json(specials_first()));
  CHECK(special.at("model").at("vocab").at("end of text") == 1);
  CHECK(special.at("model").at("vocab").at("日") == 2);
  CHECK(special.at("added_tokens")[2].at("id") == 2);
  CHECK(special.at("model").at("merges") == json::array({"a b"}));
  const json spaces = json::parse(tokenizer_json(characters_with_merges()));
  CHECK(spaces.at("model").at("merges") == json::parse(R"([[" ", "b"], ["a", " b"]])"));
  CHECK_THROWS_AS(tokenizer_json(bytes_model({"Ġ"})), UserError);  // as the token " " is written
  CHECK_THROWS_WITH(tokenizer_json(bytes_model({"Ġ"})), testing::contains("\"Ġ\" cannot stand in a tokenizer.json"));
  CHECK_THROWS_WITH(tokenizer_json(bytes_model({"\xFF\xFE"})), testing::contains("is not UTF-8"));
}

TEST_CASE("other spellings of the same pre-tokenizer are read as that one") {
  const testing::TemporaryFolder folder;
  const auto read = [&](SplitPattern pattern, auto change) {
    json document = json::parse(tokenizer_json(small_model(pattern)));
    change(document["pre_tokenizer"]);
    write_file_atomically(folder / "tokenizer.json", document.dump());
    return load_tokenizer_json(folder / "tokenizer.json").pattern;
  };
  const auto in_sequence = [](json& p) { p = {{"type", "Sequence"}, {"pretokenizers", json::array({json(p)})}}; };
  for (SplitPattern pattern : {SplitPattern::gpt2, SplitPattern::none, SplitPattern::smollm, SplitPattern::llama3,
                               SplitPattern::qwen2, SplitPattern::cl100k, SplitPattern::llama_cpp})
    CHECK(read(pattern, in_sequence) == pattern);
  CHECK(read(SplitPattern::llama3, [](json& p) {
          p["pretokenizers"][0]["behavior"] = "Removed", p["pretokenizers"][0]["invert"] = true;
        }) == SplitPattern::llama3);
  CHECK(read(SplitPattern::llama3, [](json& p) {
          p["pretokenizers"][0]["pattern"]["Regex"] =
              R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
        }) == SplitPattern::gpt2);
}

TEST_CASE("a damaged or unsupported tokenizer.json is refused with the reason") {
  const testing::TemporaryFolder folder;
  const auto file = folder / "tokenizer.json";
  const std::string whole = tokenizer_json(small_model(SplitPattern::llama3));
  for (std::size_t length : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 3}) {
    write_file_atomically(file, whole.substr(0, length));
    CHECK_THROWS_WITH(load_tokenizer_json(file), testing::contains("tokenizer.json is not valid JSON at byte "));
  }
  CHECK_THROWS_WITH(load_tokenizer_json(folder / "absent.json"), testing::contains("absent.json"));

  check_refused(
      file, [](json& d) { d.erase("model"); }, "it has no \"model\"");
  check_refused(
      file, [](json& d) { d["model"] = nullptr; }, "it has no \"model\"");
  check_refused(
      file, [](json& d) { d = json::array(); }, "it has no \"model\"");
  for (const json& merges : {json(nullptr), json::object()})
    check_refused(
        file, [&](json& d) { d["model"]["merges"] = merges; }, "its merges are no list");
  check_refused(
      file, [](json& d) { d["added_tokens"] = nullptr; }, "its added_tokens are no list");
  check_refused(
      file, [](json& d) { d["added_tokens"][0] = 7; }, "an added token is no object");
  check_refused(
      file, [](json& d) { d["model"]["ignore_merges"] = "x"; }, "its ignore_merges is \"x\", expected true or false");
  check_refused(
      file, [](json& d) { d["model"]["type"] = "Unigram"; }, "its model is \"Unigram\", not BPE");
  check_refused(
      file, [](json& d) { d["model"]["byte_fallback"] = true; }, "its pre_tokenizer \"Split\" is not supported with");
  check_refused(
      file,
      [](json& d) {
        d["normalizer"] = {{"type", "Lowercase"}};
      },
      "normalizer \"Lowercase\" is not supported");
  check_refused(
      file, [](json& d) { d["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+"; }, "\\w+");
  check_refused(
      file,
      [](json& d) {
        d["pre_tokenizer"] = {{"type", "Whitespace"}};
      },
      "\"Whitespace\" is not supported");
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
      file, [](json& d) { d["added_tokens"][0]["content"] = "a"; }, "has two ids: 97 and as an added token 398");
  check_refused(
      file, [](json& d) { d["added_tokens"][0]["lstrip"] = true; }, "lstrip");
  check_refused(
      file, [](json& d) { d["model"]["merges"][3] = "a b c"; }, "merge \"a b c\" does not name two tokens");
  check_refused(
      file, [](json& d) { d["added_tokens"][0]["content"] = d["added_tokens"][1]["content"]; }, "is there twice");
  check_refused(
      file,
      [](json& d) {
        d["model"]["vocab"].erase(begin_of_text);
        d["added_tokens"][0]["id"] = d["added_tokens"][1]["id"];
      },
      "two tokens have the id 399");
  check_refused(
      file,
      [](json& d) {
        d["model"]["vocab"] = {0, 1, 2};
      },
      "its vocabulary is no object");
  check_refused(
      file, [](json& d) { d["model"]["vocab"][begin_of_text] = 7; }, "\"<|begin_of_text|>\" has two ids: 7 and");
  check_refused(
      file,
      [](json& d) {
        d["pre_tokenizer"]["pretokenizers"][0] = {{"type", "Digits"}};
      },
      "each digit by itself");
  check_refused(
      file, [](json& d) { d["pre_tokenizer"]["pretokenizers"][0].erase("behavior"); }, "not Split and ByteLevel");
  check_refused(
      file, [](json& d) { d["model"]["vocab"]["a"] = std::string(200'000, 'x'); }, "expected a whole number");
  write_file_atomically(file, std::string(100'000, '[') + std::string(100'000, ']'));
  CHECK_THROWS_WITH(load_tokenizer(file), testing::contains("tokenizer.json is nested too deeply"));
  check_refused(
      file,
      [](json& d) {
        d["added_tokens"][0]["content"] = "qx";
        d["model"]["vocab"].erase(begin_of_text);
        d["model"]["vocab"]["qx"] = d["added_tokens"][0]["id"];
        d["model"]["merges"][3] = "q x";
      },
      "a merge makes the special token \"qx\"");
}

TEST_CASE("a value of another type in a tokenizer.json is refused by its key") {
  const testing::TemporaryFolder folder;
  const json original = json::parse(tokenizer_json(small_model(SplitPattern::llama3)));
  for (const auto& [at, key] : std::vector<std::pair<const char*, const char*>>{
           {"/model/type", "type"},
           {"/model/vocab", "vocabulary"},
           {"/model/merges", "merges"},
           {"/model/ignore_merges", "ignore_merges"},
           {"/added_tokens", "added_tokens"},
           {"/added_tokens/0/content", "content"},
           {"/added_tokens/0/id", "id"},
           {"/pre_tokenizer", "pre_tokenizer"},
           {"/pre_tokenizer/type", "pre_tokenizer"},
           {"/pre_tokenizer/pretokenizers", "pretokenizers"},
           {"/pre_tokenizer/pretokenizers/0", "pre_tokenizer"},
           {"/pre_tokenizer/pretokenizers/0/type", "pre_tokenizer"},
           {"/pre_tokenizer/pretokenizers/0/behavior", "behavior"},
           {"/pre_tokenizer/pretokenizers/0/pattern", "pattern"},
           {"/pre_tokenizer/pretokenizers/0/pattern/Regex", "Regex"},
           {"/pre_tokenizer/pretokenizers/1/add_prefix_space", "add_prefix_space"},
           {"/pre_tokenizer/pretokenizers/1/use_regex", "use_regex"},
           {"/normalizer", "normalizer"}}) {
    CAPTURE(at);
    json document = original;
    document[json::json_pointer(at)] = 7.5;
    write_file_atomically(folder / "tokenizer.json", document.dump());
    CHECK_THROWS_WITH(load_tokenizer_json(folder.path()),
                      testing::contains("tokenizer.json") && testing::contains(key));
  }
}

TEST_CASE("how a tokenizer.json cuts and fills up batches changes no text") {
  const testing::TemporaryFolder folder;
  json document = json::parse(tokenizer_json(small_model(SplitPattern::llama3)));
  write_file_atomically(folder / "tokenizer.json", document.dump());
  const Ids whole = load_tokenizer(folder.path()).encode("tiny tiny tiny");
  document["truncation"] = {{"direction", "Right"}, {"max_length", 2}, {"strategy", "LongestFirst"}, {"stride", 0}};
  document["padding"] = {{"strategy", {{"Fixed", 64}}},
                         {"direction", "Right"},
                         {"pad_to_multiple_of", nullptr},
                         {"pad_id", 0},
                         {"pad_type_id", 0},
                         {"pad_token", "!"}};
  write_file_atomically(folder / "tokenizer.json", document.dump());
  CHECK(load_tokenizer(folder.path()).encode("tiny tiny tiny") == whole);
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
  check_line("YWI= 260\n",
             "line 261: expected a new token of at most 512 bytes in base64 and rank 260");  // "ab" again
  check_line("eHg= 261\n", "line 261");
  check_line("e!g= 260\n", "line 261");
  check_line("260\n", "line 261");
  std::string long_token;  // 200 KB; to cut it at every place took minutes
  while (long_token.size() < 272'000) long_token += "QUJD";
  check_line(long_token + " 260\n", "line 261: expected a new token of at most 512 bytes in base64 and rank 260");
  write_file_atomically(folder / "tokenizer.model", std::string("\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02", 17));
  CHECK_THROWS_WITH(load_tokenizer(folder / "tokenizer.model"),
                    testing::contains("tokenizer.model: ends within a field (is it cut off?)"));
}
