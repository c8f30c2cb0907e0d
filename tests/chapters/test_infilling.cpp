// Code Llama's prompts for what stands between two texts.
#include "chapters/12-open-weights/infilling.hpp"

#include "chapters/01-bpe/sentencepiece.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Kind = SentencePieces::Kind;
using Ids = std::vector<TokenId>;

/// <s>, blank, a, b, the beginning of a mark's text, and four marks, as ordinary pieces, as in Meta's file.
Tokenizer code_llama() {
  SentencePieces pieces{{{"<s>", 0, Kind::control}}, true, false};
  for (const char* piece : {"▁", "a", "b", "<", "P", "R", "E", ">", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"})
    pieces.pieces.push_back({piece, -1, Kind::normal});
  return Tokenizer(sentencepiece_model(pieces));
}

}  // namespace

TEST_CASE("a gap's prompt has the prefix first, or the suffix, which begins without a blank") {
  const Tokenizer tokenizer = code_llama();
  CHECK(infilling_prompt(tokenizer, 0, "a", "b") == Ids{0, 9, 1, 2, 10, 3, 11});
  CHECK(infilling_prompt(tokenizer, 0, "a", "b", InfillingOrder::suffix_first) == Ids{0, 9, 10, 3, 11, 1, 2});
  CHECK(infilling_prompt(tokenizer, {}, "", "") == Ids{9, 10, 11});
  CHECK(infilling_prompt(tokenizer, {}, "", " b") == Ids{9, 10, 1, 3, 11});
  CHECK(find_infilling_tokens(tokenizer).end == 12);
}

TEST_CASE("a mark that is typed stays text") {
  CHECK(infilling_prompt(code_llama(), {}, "<PRE>", "") == Ids{9, 1, 4, 5, 6, 7, 8, 10, 11});
}

TEST_CASE("a model without the marks is refused by name") {
  CHECK_THROWS_WITH(infilling_prompt(Tokenizer(bytes_model()), {}, "a", "b"), contains("the model has no token <PRE>"));
}
