// tokenizer.json of SentencePiece's kind: what is written, the two ways in which blanks stand there, and refusals.
// tests/app/tokenizers_oracle.py compares with Hugging Face's tokenizers.
#include <nlohmann/json.hpp>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/pieces.hpp"

using namespace cria;
using namespace cria::testing;
using nlohmann::json;

namespace {

const Scores letters{{"▁", -9}, {"a", -9}, {"b", -9}, {"▁a", -1}, {"ab", -2}, {"▁▁", -3}, {"bab", -4}, {"▁ab", -5}};

BpeModel small_model(bool bytes = true) { return sentencepiece_model(with_pieces(letters, bytes)); }

/// The model that stands in this tokenizer.json.
BpeModel read(const json& document) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "tokenizer.json", document.dump());
  return load_tokenizer_json(folder / "tokenizer.json");
}

json written(const BpeModel& model) { return json::parse(tokenizer_json(model)); }

/// The small model with another way to write blanks.
json with_steps(const json& normalizer, const json& pre_tokenizer, bool strips) {
  json document = written(small_model());
  document["normalizer"] = normalizer, document["pre_tokenizer"] = pre_tokenizer;
  if (!strips) document["decoder"]["decoders"].erase(3);
  return document;
}

json metaspace(const char* scheme, bool split) {
  return {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", scheme}, {"split", split}};
}

const json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}};

}  // namespace

TEST_CASE("a SentencePiece model is written as Llama 2's tokenizer.json is") {
  const json document = written(small_model());
  const json& bpe = document.at("model");
  CHECK(document.at("normalizer") ==
        json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]})"));
  CHECK(document.at("pre_tokenizer").is_null());
  CHECK(document.at("decoder").at("decoders").size() == 4);
  CHECK(document.at("post_processor").at("single")[0].at("SpecialToken").at("id") == "<s>");
  CHECK(bpe.at("byte_fallback") == true);
  CHECK(bpe.at("fuse_unk") == true);
  CHECK(bpe.at("unk_token") == "<unk>");
  CHECK(bpe.at("vocab").at("<0x0A>") == 3 + '\n');
  CHECK(bpe.at("vocab").at("▁ab") == 266);
  CHECK(document.at("added_tokens").size() == 3);
  // By score, and of those that make one token the one with more on the left first.
  CHECK(bpe.at("merges") == json({"▁ a", "a b", "▁ ▁", "b ab", "▁a b", "▁ ab"}));
  const TemporaryFolder folder;
  save_tokenizer(small_model(), folder.path());
  const json config = json::parse(read_file(folder / "tokenizer_config.json"));
  CHECK(config.at("bos_token") == "<s>");
  CHECK(config.at("eos_token") == "</s>");
  CHECK(config.at("unk_token") == "<unk>");
}

TEST_CASE("merges in the order of scores give the ids that scores give") {
  Random random(2);
  for (const bool bytes : {true, false})
    for (const bool collapses : {false, true}) {
      BpeModel model = small_model(bytes);
      model.sentencepiece->collapses_blanks = collapses;
      const BpeModel read_back = read(written(model));
      CHECK(read_back.sentencepiece->scores.empty());
      CHECK(read_back.merges == model.merges);
      CHECK(read_back.pattern == model.pattern);
      CHECK(read_back.special_tokens == model.special_tokens);
      CHECK(read_back.sentencepiece->byte_tokens == model.sentencepiece->byte_tokens);
      CHECK(read_back.sentencepiece->unknown == model.sentencepiece->unknown);
      CHECK(written(read_back) == written(model));
      const Tokenizer by_score(model), by_rank(read_back);
      for (int i = 0; i < 300; ++i) {
        std::string text;
        for (size_t size = random.below(20); text.size() < size;)
          text += Pieces{"a", "b", "a", "b", " ", " ", "é", "▁"}[random.below(8)];
        INFO('"' << text << '"');
        CHECK(by_rank.encode(text) == by_score.encode(text));
        CHECK(by_rank.decode(by_rank.encode(text)) == by_score.decode(by_score.encode(text)));
      }
    }
}

TEST_CASE("blanks are added as the file says") {
  struct Example {
    json document;
    Pieces a, blank_a, parsed, blanks;  // of "a", " a", "<s>a", "b  a"
  };
  const json prepend = {{"type", "Prepend"}, {"prepend", "▁"}},
             both = {{"type", "Sequence"}, {"normalizers", {prepend, replace}}};
  const Pieces together{" ", "b", " ", " a"};
  for (const auto& [document, a, blank_a, parsed, blanks] : std::vector<Example>{
           {with_steps(both, nullptr, true), {" a"}, {" ", " a"}, {"<s>", " a"}, together},
           {with_steps(replace, nullptr, false), {"a"}, {" a"}, {"<s>", "a"}, {"b", " ", " a"}},
           {with_steps(nullptr, metaspace("always", false), true), {" a"}, {" a"}, {"<s>", " a"}, together},
           {with_steps(nullptr, metaspace("first", false), true), {" a"}, {" a"}, {"<s>", "a"}, together},
           {with_steps(nullptr, metaspace("never", false), false), {"a"}, {" a"}, {"<s>", "a"}, {"b", " ", " a"}},
           {with_steps(nullptr, metaspace("never", true), false), {"a"}, {" a"}, {"<s>", "a"}, {"b", " ", " a"}}}) {
    INFO(document.at("normalizer").dump() << document.at("pre_tokenizer").dump());
    const BpeModel model = read(document);
    const Tokenizer tokenizer(model);
    CHECK(pieces_of(tokenizer, "a") == a);
    CHECK(pieces_of(tokenizer, " a") == blank_a);
    CHECK(pieces_of(tokenizer, "<s>a", SpecialText::parse) == parsed);
    CHECK(pieces_of(tokenizer, "b  a") == blanks);
    CHECK(tokenizer.decode(tokenizer.encode("b  a")) == "b  a");
    const Tokenizer again(read(written(model)));
    for (const char* text : {"a", " a", "b  a", "b   a", "   "}) CHECK(again.encode(text) == tokenizer.encode(text));
  }
  // Split in front of each blank, two of them are never one token.
  CHECK(pieces_of(Tokenizer(read(with_steps(nullptr, metaspace("first", false), true))), "b   ") ==
        Pieces{" ", "b", "  ", " "});
  CHECK(pieces_of(Tokenizer(read(with_steps(nullptr, metaspace("first", true), true))), "b   ") ==
        Pieces{" ", "b", " ", " ", " "});
}

TEST_CASE("before 2024 Metaspace said add_prefix_space") {
  json step = {{"type", "Metaspace"}, {"replacement", "▁"}, {"add_prefix_space", true}};
  CHECK(pieces_of(Tokenizer(read(with_steps(nullptr, step, true))), "a") == Pieces{" a"});
  step["add_prefix_space"] = false;
  CHECK(pieces_of(Tokenizer(read(with_steps(nullptr, step, false))), "a") == Pieces{"a"});
}

TEST_CASE("what a tokenizer.json of SentencePiece's kind asks for and cria does not do is refused by name") {
  const auto refuses = [](auto change, const std::string& reason) {
    json document = written(small_model());
    change(document);
    INFO(reason);
    CHECK_THROWS_AS(read(document), UserError);
    CHECK_THROWS_WITH(read(document), contains(reason));
  };
  const auto normalizer = [](size_t at) { return json::json_pointer("/normalizer/normalizers/" + std::to_string(at)); };
  refuses(
      [&](json& d) {
        d[normalizer(0)] = {{"type", "Lowercase"}};
      },
      "its normalizer \"Lowercase\" is not supported");
  refuses([&](json& d) { d[normalizer(0)]["prepend"] = "_"; }, "its normalizer puts \"_\" in front of a text");
  refuses([&](json& d) { d[normalizer(1)]["content"] = "_"; }, "replaces something else than blanks");
  refuses([&](json& d) { d[normalizer(1)]["pattern"] = {{"Regex", "\\s"}}; }, "replaces something else than blanks");
  refuses([](json& d) { d["normalizer"] = nullptr; }, "its blanks stay blanks");
  refuses([](json& d) { d["pre_tokenizer"] = metaspace("first", true); }, "both put a blank in front of a text");
  refuses([](json& d) { d["pre_tokenizer"] = {{"type", "Digits"}}; }, "its pre_tokenizer \"Digits\" is not supported");
  refuses([](json& d) { d["normalizer"] = nullptr, d["pre_tokenizer"] = metaspace("last", true); }, "\"last\"");
  refuses([](json& d) { d["decoder"]["decoders"].erase(3); }, "its decoder does not drop the blank");
  refuses([](json& d) { d["decoder"]["decoders"][3]["start"] = 2; }, "its decoder strips something else");
  refuses([](json& d) { d["decoder"] = {{"type", "ByteLevel"}}; }, "its decoder \"ByteLevel\" is not supported");
  refuses([&](json& d) { d["normalizer"] = replace; }, "its decoder drops a blank that encoding does not add");
  refuses([](json& d) { d["model"]["ignore_merges"] = true; }, "ignore_merges");
  refuses([](json& d) { d["model"]["unk_token"] = "<none>"; }, "its unk_token \"<none>\" is not in the vocabulary");
  refuses([](json& d) { d["model"]["byte_fallback"] = false, d["model"]["unk_token"] = nullptr; }, "has neither");
  refuses([](json& d) { d["model"]["byte_fallback"] = d["model"]["fuse_unk"] = false; }, "fuse_unk is false");
  refuses(
      [](json& d) {
        d["model"]["vocab"].erase("<0x41>");
        d["model"]["vocab"]["<0x4G>"] = 3 + 0x41;
      },
      "only 255 of the tokens <0x00> to <0xFF>");
}
