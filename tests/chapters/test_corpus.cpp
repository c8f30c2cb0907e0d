// Chapter 11, corpora.
#include "chapters/11-pretraining/corpus.hpp"

#include <cmath>
#include <fstream>
#include <numbers>
#include <set>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/parse.hpp"
#include "lib/grammar/zipf.hpp"
#include "tests/chapters/batch_contents.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

Recipe tiny(size_t batch, size_t context) {
  Recipe recipe;
  recipe.training.batch = batch;
  recipe.training.positions = context;
  return recipe;
}

std::string write(const TemporaryFolder& folder, const std::string& text) {
  std::ofstream(folder / "text.txt", std::ios::binary) << text;
  return (folder / "text.txt").string();
}

/// The texts of the documents in a batch of the bytes tokenizer (256 begins, 257 ends), or the parts of long ones.
std::vector<std::string> texts(const Batch& batch) {
  std::vector<std::string> texts;
  for (size_t b = 0; b < batch.tokens.shape(0); ++b)
    for (size_t t = 0; t < batch.tokens.shape(1); ++t) {
      if (batch.targets(b, t) == no_target) continue;
      if (batch.tokens(b, t) == 256) texts.emplace_back();
      if (batch.targets(b, t) != 257) texts.back() += static_cast<char>(batch.targets(b, t));
    }
  return texts;
}

/// Checks the floor of what is held out, each a text of the grammar, against the parser's bits; returns the texts.
std::vector<std::string> check_floor(const Corpus& corpus, const Grammar& grammar) {
  const Parser parser(grammar);
  double bits = 0, bytes = 0;
  std::vector<std::string> held_out;
  for (const BatchMemory& memory : corpus.validation.batches)
    for (const std::string& text : texts(memory.batch())) {
      const auto parse = parser.story(text);
      REQUIRE(parse);
      bits -= parse->log2_probability;
      bytes += double(text.size()) + 1;
      held_out.push_back(text);
    }
  CHECK(corpus.validation.bytes == bytes);
  REQUIRE(corpus.validation.floor);
  CHECK(difference(*corpus.validation.floor / (bits / bytes), 1, 1e-12) == "");  // sums of a few hundred logarithms
  return held_out;
}

}  // namespace

TEST_CASE("bits per byte, by hand: 3 targets of 2 nats for 12 bytes of text") {
  Validation validation;
  validation.batches.emplace_back(1, 3, false);
  validation.batches.back().clear();
  validation.targets = 3;
  validation.bytes = 12;
  CHECK(validation.loss([](const Batch&) { return 6.0; }) == 2);
  CHECK(difference(validation.bits_per_byte(2), 6 / (12 * std::numbers::ln2), 1e-15) == "");
}

TEST_CASE("a text without separators is one stream whose end is held out") {
  const TemporaryFolder folder;
  const Tokenizer tokenizer(bytes_model());
  std::string text(150, 'a');
  text += std::string(50, 'z');
  Recipe recipe = tiny(2, 8);
  recipe.validation = 0.25;
  const Corpus corpus = open_corpus({write(folder, text), 1}, tokenizer, recipe);
  CHECK_FALSE(corpus.has_documents);
  CHECK(corpus.training_tokens == 150);
  for (int i = 0; i < 30; ++i)
    for (const std::int32_t id : ids(corpus.training->next().targets)) REQUIRE(id == 'a');
  CHECK(corpus.validation.targets == 49);  // the first of the 50 has nothing before it
  CHECK(corpus.validation.bytes == 49);
  size_t targets = 0;
  for (const BatchMemory& memory : corpus.validation.batches) {
    targets += count_targets(memory.batch());
    for (const std::int32_t id : ids(memory.batch().targets)) CHECK((id == 'z' || id == no_target));
  }
  CHECK(targets == 49);
}

TEST_CASE("as many tokens are held out as the recipe allows, and all when it sets no limit") {
  const TemporaryFolder folder;
  const Tokenizer tokenizer(bytes_model());
  const std::string file = write(folder, std::string(100, 'a'));
  Recipe recipe = tiny(2, 8);
  for (const size_t limit : {size_t{0}, size_t{20}, ~size_t{0}}) {
    recipe.validation_tokens = limit;
    CHECK(open_validation(file, tokenizer, recipe, std::nullopt).targets == std::min<size_t>(limit, 99));
  }
}

TEST_CASE("a file with separators is a set of documents, each learned to its end") {
  const TemporaryFolder folder;
  const Tokenizer tokenizer(bytes_model());
  Recipe recipe = tiny(1, 10);  // one row, so documents stand in the order in which they were drawn
  recipe.separator = std::string("\n");
  recipe.validation = 0.2;
  Corpus corpus = open_corpus({write(folder, "one\ntwo\nthree\nfour\nfive\n"), 1}, tokenizer, recipe);
  CHECK(corpus.has_documents);
  REQUIRE(corpus.validation.batches.size() == 1);
  CHECK(texts(corpus.validation.batches[0].batch()) == std::vector<std::string>{"five"});
  CHECK(corpus.validation.targets == 5);
  CHECK(corpus.validation.bytes == 5);  // with the newline that the end stands for
  std::vector<std::string> seen;
  while (seen.size() < 40)
    for (const std::string& text : texts(corpus.training->next())) seen.push_back(text);
  for (size_t pass = 0; pass < 10; ++pass) {  // every document once in each pass
    std::vector<std::string> of_pass(seen.begin() + long(4 * pass), seen.begin() + long(4 * pass + 4));
    std::ranges::sort(of_pass);
    CHECK(of_pass == std::vector<std::string>{"four", "one", "three", "two"});
  }
  CHECK(std::vector(seen.begin(), seen.begin() + 20) != std::vector(seen.begin() + 20, seen.end()));
}

TEST_CASE("a separator on a line of its own takes its line ends with it, and what is empty is no document") {
  const TemporaryFolder folder;
  const Tokenizer tokenizer(bytes_model());
  Recipe recipe = tiny(1, 32);
  recipe.validation = 0;
  for (const char* end : {"\n", "\r\n"}) {
    const std::string mark = end + recipe.separator + end;
    const Corpus corpus =
        open_corpus({write(folder, "one" + mark + "two" + mark + mark + "three" + mark), 1}, tokenizer, recipe);
    const std::vector<std::string> found = texts(corpus.training->next());  // of more than one pass
    CHECK(std::set(found.begin(), found.end()) == std::set<std::string>{"one", "three", "two"});
  }
}

TEST_CASE("several files and folders are several documents, and the same ones wherever they lie") {
  const TemporaryFolder folder, other;
  const Tokenizer tokenizer(bytes_model());
  Recipe recipe = tiny(1, 32);
  recipe.validation = 0;
  std::filesystem::create_directory(folder / "part");
  std::ofstream(folder / "a.txt") << "one<|endoftext|>two";
  std::ofstream(folder / "part/b.txt") << "three";
  std::ofstream(other / "z.txt") << "one\n<|endoftext|>\ntwo\n<|endoftext|>\nthree";
  const auto open = [&](std::vector<std::string> names) { return open_corpus({names, 1}, tokenizer, recipe); };
  const Corpus files = open({(folder / "a.txt").string(), (folder / "part/b.txt").string()});
  const std::vector<std::string> found = texts(files.training->next());
  CHECK(std::set(found.begin(), found.end()) == std::set<std::string>{"one", "three", "two"});
  CHECK(open({folder.path().string()}).fingerprint == files.fingerprint);
  CHECK(open({other.path().string()}).fingerprint == files.fingerprint);
  std::ofstream(other / "z.txt") << "one<|endoftext|>twothree";
  CHECK(open({other.path().string()}).fingerprint != files.fingerprint);
  std::ofstream(other / "z.txt") << "one<|endoftext|>twot<|endoftext|>hree";
  CHECK(open({other.path().string()}).fingerprint != files.fingerprint);
}

TEST_CASE("a tokenizer learns nothing from separators") {
  const TemporaryFolder folder;
  Recipe recipe;
  recipe.vocabulary = 300;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "a few words\n<|endoftext|>\n";
  const Tokenizer tokenizer = make_tokenizer("bpe", {write(folder, text), 1}, recipe);
  for (size_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const std::string piece(tokenizer.piece(static_cast<TokenId>(id)));
    CAPTURE(piece);
    CHECK((piece.size() == 1 || tokenizer.is_special(static_cast<TokenId>(id)) ||
           std::string("a few words").find(piece) != std::string::npos));
  }
}

TEST_CASE("documents stand between the tokenizer's own tokens") {
  const TemporaryFolder folder;
  const Tokenizer own(bytes_model({"<s>", "</s>"})), one(bytes_model({"<|endoftext|>"}));
  std::ofstream(folder / "tokenizer_config.json")
      << R"({"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "unk_token": null})";
  const DocumentEnds ends = document_ends(own, folder.path());
  CHECK(ends.begin == 256);
  CHECK(ends.end == 257);
  CHECK_FALSE(document_ends(own).begin);
  std::ofstream(folder / "tokenizer_config.json") << R"({"bos_token": null, "eos_token": "<|endoftext|>"})";
  CHECK(document_ends(one, folder / "tokenizer.json").begin == 256);  // there is one for both
  CHECK(document_ends(one, folder / "tokenizer.json").end == 256);

  Recipe recipe = tiny(1, 16);
  recipe.validation = 0;
  const Corpus corpus = open_corpus({write(folder, "one<|endoftext|>two"), 1}, own, recipe, {257, 256});
  const Batch batch = corpus.training->next();
  CHECK(batch.tokens(0, 0) == 257);
  CHECK(batch.targets(0, 3) == 256);
  CHECK_THROWS_WITH(open_corpus({write(folder, "one<|endoftext|>two"), 1}, own, recipe),
                    contains("the tokenizer lacks"));
}

TEST_CASE("texts that are missing, empty or too short are refused with the numbers") {
  const TemporaryFolder folder;
  const Tokenizer tokenizer(bytes_model());
  Recipe recipe = tiny(2, 64);
  CHECK_THROWS_WITH(open_corpus({(folder / "none.txt").string(), 1}, tokenizer, recipe),
                    contains("none.txt: No such file or directory"));
  CHECK_THROWS_WITH(open_corpus({write(folder, ""), 1}, tokenizer, recipe),
                    contains("text.txt is empty, expected a text"));
  CHECK_THROWS_WITH(open_corpus({write(folder, std::string(70, 'a')), 1}, tokenizer, recipe),
                    contains("63 tokens to train on are fewer than one context of 64"));
  CHECK_THROWS_WITH(make_tokenizer("characters", {write(folder, "\xff"), 1}, recipe),
                    contains("text.txt is not UTF-8"));
  recipe.separator = std::string("\n");
  recipe.validation = 0.9;
  CHECK_THROWS_WITH(open_corpus({write(folder, "a\nb"), 1}, tokenizer, recipe), contains("all documents are held out"));
  CHECK_THROWS_WITH(open_validation(write(folder, "a"), tokenizer, recipe, std::nullopt),
                    contains("expected at least 2"));
  CHECK_THROWS_WITH(open_validation(write(folder, ""), tokenizer, recipe, std::nullopt), contains("is empty"));
  CHECK_THROWS_WITH(open_validation(write(folder, "\n\n"), tokenizer, recipe, document_ends(tokenizer)),
                    contains("nothing but separators"));
  CHECK_THROWS_WITH(open_corpus({write(folder, "\n\n"), 1}, tokenizer, recipe), contains("nothing but separators"));
}

TEST_CASE("stories: number i is the same whatever was asked for before, and another seed tells others") {
  const Tokenizer tokenizer(bytes_model());
  const Recipe recipe = tiny(4, 512);
  const auto source = [&](std::uint64_t seed) { return open_corpus({"stories", seed}, tokenizer, recipe).training; };
  const auto first = source(1), second = source(1), other = source(2);
  for (int i = 0; i < 3; ++i) first->next();
  const std::uint64_t state = first->state();
  const auto batch = contents(first->next());
  second->restore(state);
  CHECK(contents(second->next()) == batch);
  second->restore(0);
  second->next();
  second->restore(state);
  CHECK(contents(second->next()) == batch);
  other->restore(state);
  CHECK(contents(other->next()) != batch);
}

TEST_CASE("stories: the floor is the parser's bits over the held-out bytes, and training never sees those stories") {
  const Tokenizer tokenizer(bytes_model());
  Recipe recipe = tiny(4, 2048);  // no story is cut
  recipe.validation_tokens = 5000;
  const Corpus corpus = open_corpus({"stories", 3}, tokenizer, recipe);
  const std::vector<std::string> held_out =
      check_floor(corpus, Grammar::load(data_folder() / "stories" / "stories.grammar"));
  CHECK(corpus.validation.targets == size_t(corpus.validation.bytes));  // one token a byte
  for (const std::string& text : texts(corpus.training->next()))
    CHECK(std::ranges::find(held_out, text) == held_out.end());

  recipe.validation_tokens = 0;  // then there is no floor, rather than one that is not a number
  CHECK_FALSE(open_corpus({"stories", 3}, tokenizer, recipe).validation.floor);
}

TEST_CASE("facts: the floor is the parser's bits over the held-out bytes") {
  const Tokenizer tokenizer(bytes_model());
  Recipe recipe = tiny(4, 64);
  recipe.validation_tokens = 500;
  const Corpus corpus = open_corpus({"zipf", 3}, tokenizer, recipe);
  const Grammar grammar = zipf_grammar();
  check_floor(corpus, grammar);
  CHECK(corpus.validation.bytes == 504);  // of 36 facts
  const Parser parser(grammar);
  for (const std::string& text : texts(corpus.training->next())) CHECK(parser.story(text));
  CHECK(corpus.fingerprint != open_corpus({"stories", 3}, tokenizer, tiny(4, 2048)).fingerprint);
}
