// Chapter 14: a model goes on with more tokens than it had.
#include "chapters/14-sft/extended_vocabulary.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "chapters/10-training-step/loss_evaluator.hpp"
#include "chapters/11-pretraining/batches.hpp"
#include "chapters/11-pretraining/corpus.hpp"
#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/base/check.hpp"
#include "lib/grammar/generate.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// The tokenizer of `old` with a token more for each of the pairs that stand side by side most often in the texts.
Tokenizer trained_further(const Tokenizer& old, const std::vector<std::string>& texts, size_t more) {
  std::map<std::pair<TokenId, TokenId>, int> counts;
  for (const std::string& text : texts) {
    const std::vector<TokenId> ids = old.encode(text);
    for (size_t i = 0; i + 1 < ids.size(); ++i) ++counts[{ids[i], ids[i + 1]}];
  }
  std::vector<std::pair<int, std::pair<TokenId, TokenId>>> most;
  for (const auto& [pair, count] : counts) most.push_back({-count, pair});
  std::ranges::sort(most);
  BpeModel model = old.model();
  model.pattern = SplitPattern::none;  // or no token would have a blank inside
  for (size_t i = 0; i < more; ++i) {
    const auto [left, right] = most.at(i).second;
    model.merges.push_back({left, right, TokenId(model.vocabulary.size())});
    model.vocabulary.insert(std::string(old.piece(left)) + std::string(old.piece(right)));
  }
  return Tokenizer(model);
}

std::vector<std::string> some_stories(std::uint64_t seed, int count) {
  const Grammar grammar = Grammar::load(data_folder() / "stories" / "stories.grammar");
  Random random(seed);
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(generate(grammar, random).text);
  return texts;
}

/// Bits for each byte of the texts.
double bits_per_byte(const LlamaParameters& weights, const Tokenizer& tokenizer,
                     const std::vector<std::string>& texts) {
  double nats = 0, bytes = 0;
  LossEvaluator evaluator(weights.config(), 1, 512, false);
  for (const std::string& text : texts) {
    BatchMemory memory(1, 512, true);
    memory.clear();
    REQUIRE(
        memory.add(make_document(tokenizer.encode(text), *tokenizer.bos_id(), *tokenizer.eos_id(), text.size() + 1)));
    nats += evaluator.forward(weights, memory.batch());
    bytes += double(memory.bytes);
  }
  return nats / std::log(2.0) / bytes;
}

}  // namespace

TEST_CASE("a new token starts as the mean of its old pieces, in a head of its own too, and the rest stays") {
  LlamaParameters weights(tiny());  // its head is not the embedding
  Random random(3);
  for (real& weight : weights.flat()) weight = real(random.normal());
  std::vector<std::vector<TokenId>> pieces;
  for (TokenId id = 18; id >= 0; --id) pieces.push_back({id});  // in another order
  pieces.push_back({4, 7});
  pieces.push_back({4, 4, 4, 7});
  const LlamaParameters renewed = with_vocabulary(weights, pieces);
  CHECK(renewed.config().vocabulary_size == 21);
  CHECK(parameter_count(renewed.config()) == parameter_count(tiny()) + 2 * 2 * 11);
  const auto &was = weights.tensors(), &is = renewed.tensors();
  for (const auto& [old, now] : {std::pair(was.embedding, is.embedding), std::pair(was.head, is.head)})
    for (size_t c = 0; c < 11; ++c) {
      for (size_t id = 0; id < 19; ++id) CHECK(now(18 - id, c) == old(id, c));
      CHECK(difference(now(19, c), (old(4, c) + old(7, c)) / 2, 4 * epsilon) == "");
      CHECK(difference(now(20, c), (3 * old(4, c) + old(7, c)) / 4, 4 * epsilon) == "");
    }
  std::map<std::string, std::vector<real>> old;
  weights.for_each([&](const std::string& name, const auto& view) { old[name].assign(view.begin(), view.end()); });
  renewed.for_each([&](const std::string& name, const auto& view) {
    INFO(name);
    if (name != "model.embed_tokens.weight" && name != "lm_head.weight")
      CHECK(std::equal(view.begin(), view.end(), old[name].begin(), old[name].end()));
  });
  CHECK_THROWS_AS(with_vocabulary(weights, {{19}}), ContractError);
}

TEST_CASE("what the old tokenizer has for each token of the new one") {
  const Tokenizer old(bytes_model({"<s>", "</s>"}));
  BpeModel more = bytes_model({"</s>", "<s>", "<new>"});
  more.merges.push_back({'t', 'h', TokenId(more.vocabulary.insert("th"))});
  more.vocabulary.insert("</s");
  const auto pieces = old_pieces(old, Tokenizer(more));
  using Pieces = std::vector<TokenId>;
  CHECK(pieces['a'] == Pieces{'a'});
  CHECK(pieces[256] == Pieces{257});  // special tokens are found by their text
  CHECK(pieces[257] == Pieces{256});
  CHECK(pieces[258] == Pieces{'<', 'n', 'e', 'w', '>'});
  CHECK(pieces[259] == Pieces{'t', 'h'});
  CHECK(pieces[260] == Pieces{'<', '/', 's'});
  // A text that only looks like the old special token is its letters.
  BpeModel plain = bytes_model({});
  plain.vocabulary.insert("<s>");
  CHECK(old_pieces(old, Tokenizer(plain))[256] == Pieces{'<', 's', '>'});
}

TEST_CASE("with new tokens a trained model starts at a lower loss from means than from random rows") {
  const Model model = load_model(data_folder() / "model");
  const Tokenizer& old = *model.tokenizer;
  const Tokenizer renewed = trained_further(old, some_stories(1, 200), 50);
  const std::vector<std::string> held_out = some_stories(2, 20);
  const LlamaParameters weights = with_vocabulary(model.weights, old_pieces(old, renewed));
  const double before = bits_per_byte(model.weights, old, held_out);
  const double means = bits_per_byte(weights, renewed, held_out);
  // The lesson's table. It has never seen the new tokens.
  CHECK(std::abs(before - 0.311) < 0.002);
  CHECK(std::abs(means - 1.031) < 0.002);
  for (const double deviation : {0.0, 0.02, 0.05, 0.1, 0.3}) {
    INFO("rows of deviation " << deviation);
    Random random(5);
    for (size_t id = old.vocabulary_size(); id < renewed.vocabulary_size(); ++id)
      for (real& weight : weights.tensors().embedding[id]) weight = real(deviation * random.normal());
    const double at_random = bits_per_byte(weights, renewed, held_out);
    CHECK(at_random > 1.85);
  }
}
