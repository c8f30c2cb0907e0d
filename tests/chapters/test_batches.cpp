// Chapter 11, batches.
#include "chapters/11-pretraining/batches.hpp"

#include "chapters/10-training-step/cross_entropy.hpp"
#include "tests/chapters/batch_contents.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// Documents 1 1 … of length 2, 2 2 … of length 3, and so on in a circle of four.
Document numbered(std::uint64_t i) {
  const auto id = static_cast<std::int32_t>(i % 4 + 1);
  return {Ids(size_t(id) + 1, id), Ids(size_t(id) + 1, id), 1};
}

}  // namespace

TEST_CASE("batches: the example of the lesson, worked by hand") {
  // Documents (5 6) and (7), begin 1, end 2, in windows of 6; the third does not fit behind them any more.
  BatchMemory memory(1, 6, true);
  memory.clear();
  CHECK(memory.add(make_document({5, 6}, 1, 2, 2)));
  CHECK(memory.add(make_document({7}, 1, 2, 1)));
  CHECK_FALSE(memory.add(make_document({8}, 1, 2, 1)));
  const Batch batch = memory.batch();
  CHECK(ids(batch.tokens) == Ids{1, 5, 6, 1, 7, 0});
  CHECK(ids(batch.targets) == Ids{5, 6, 2, 7, 2, no_target});
  CHECK(Ids(batch.first_key.begin(), batch.first_key.end()) == Ids{0, 0, 0, 3, 3, 5});
  CHECK(memory.bytes == 3);
}

TEST_CASE("a long document is cut into pieces that keep every target once") {
  const Document document = make_document({1, 2, 3, 4, 5, 6}, 8, 9, 70);  // 7 tokens
  const std::vector<Document> pieces = cut(document, 3);
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].tokens == Ids{8, 1, 2});
  CHECK(pieces[0].targets == Ids{1, 2, 3});
  CHECK(pieces[1].tokens == Ids{3, 4, 5});
  CHECK(pieces[2].tokens == Ids{6});
  CHECK(pieces[2].targets == Ids{9});
  CHECK(pieces[0].bytes + pieces[1].bytes + pieces[2].bytes == 70);
  CHECK(cut(document, 7).size() == 1);
}

TEST_CASE("documents are packed in order, whole, and none is lost between batches") {
  const auto source = packed_documents(numbered, 2, 7);
  std::uint64_t next = 0;
  for (int step = 0; step < 20; ++step) {
    const Batch batch = source->next();
    std::vector<size_t> seen(5);
    for (size_t b = 0; b < 2; ++b)
      for (size_t t = 0; t < 7;) {
        const auto id = batch.tokens(b, t);
        if (batch.targets(b, t) == no_target) {  // padding sees itself only
          CHECK(batch.first_key[b * 7 + t] == std::int32_t(t));
          ++t;
          continue;
        }
        const size_t begin = t;
        for (; t < begin + size_t(id) + 1; ++t) {  // whole: as many as the document has, and all see its begin
          REQUIRE(t < 7);
          CHECK(batch.tokens(b, t) == id);
          CHECK(batch.first_key[b * 7 + t] == std::int32_t(begin));
        }
        ++seen[size_t(id)];
      }
    size_t documents = 0;
    for (; next < source->state(); ++next, ++documents) --seen[size_t(next % 4 + 1)];
    CHECK(seen == std::vector<size_t>(5));
    CHECK(source->bytes() == double(documents));
  }
}

TEST_CASE("a batch source continues from its state with the same batches") {
  Ids text(100);
  for (size_t i = 0; i < text.size(); ++i) text[i] = std::int32_t(i);
  const bool packed = GENERATE(true, false);
  const auto make = [&] { return packed ? packed_documents(numbered, 3, 8) : random_windows(text, 1, 3, 8, 5); };
  const auto uninterrupted = make(), resumed = make();
  for (int i = 0; i < 7; ++i) uninterrupted->next();
  resumed->restore(uninterrupted->state());
  for (int i = 0; i < 5; ++i) CHECK(contents(uninterrupted->next()) == contents(resumed->next()));
}

TEST_CASE("random windows predict the next token and reach both ends of the text") {
  const auto source = random_windows({0, 1, 2, 3, 4, 5}, 2.5, 4, 3, 1);
  bool reached_first = false, reached_last = false;
  for (int i = 0; i < 50; ++i) {
    const Batch batch = source->next();
    for (size_t b = 0; b < 4; ++b)
      for (size_t t = 0; t < 3; ++t) {
        CHECK(batch.tokens(b, t) == batch.tokens(b, 0) + std::int32_t(t));
        CHECK(batch.targets(b, t) == batch.tokens(b, t) + 1);
        reached_first = reached_first || batch.tokens(b, t) == 0;
        reached_last = reached_last || batch.targets(b, t) == 5;
      }
  }
  CHECK(reached_first);
  CHECK(reached_last);
  CHECK(source->bytes() == 2.5 * 12);
  CHECK_THROWS_AS(random_windows({0, 1, 2}, 1, 1, 3, 1), ContractError);
}
