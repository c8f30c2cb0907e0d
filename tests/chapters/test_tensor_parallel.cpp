// Models that are divided among ranks, against the whole model: logits, losses, gradients, training.
#include "chapters/21-several-machines/tensor_parallel.hpp"

#include "chapters/09-sampling/decoder.hpp"
#include "chapters/21-several-machines/divided_costs.hpp"
#include "chapters/21-several-machines/in_process.hpp"
#include "chapters/21-several-machines/pipeline.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// A sum in parts is rounded otherwise than in one go. Measured at most: 1.9 and 11 epsilon.
constexpr double logit_tolerance = 6 * epsilon, part_tolerance = 25 * epsilon;

View<const real, 1> as_view(const std::vector<real>& numbers) { return {numbers.data(), {numbers.size()}}; }

std::vector<size_t> ranks_of(const LlamaConfig& config) {
  return config.kv_heads == 1 ? std::vector<size_t>{1, 2, 3, 4} : std::vector<size_t>{1, 2, 3, 6};
}

// Logits for what follows a prompt of 7 and then three tokens, one at a time.
std::vector<real> decoded(const LlamaWeights& weights, const LlamaConfig& whole, size_t threads) {
  Decoder decoder(weights, 16, decoder_chunk(whole, 16), threads);
  std::vector<real> all;
  const std::vector<std::int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  for (const Range part : {Range{0, 7}, Range{7, 8}, Range{8, 9}, Range{9, 10}}) {
    const auto logits = decoder.feed(std::span(tokens).subspan(part.begin, part.size()));
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

}  // namespace

TEST_CASE("tensor parallel ranks decode what the whole model does, with the same bits on all of them") {
  for (const LlamaConfig& config : {untied(), tied()})
    for (const size_t ranks : ranks_of(config)) {
      CAPTURE(config.tied_embeddings, ranks);
      const LlamaParameters weights = random_model(config, 3);
      const std::vector<real> expected = decoded(weights, config, 1);
      std::vector<std::vector<real>> logits(ranks);
      run_ranks(ranks, [&](Communicator& here) {
        TensorShards shards(here, tensor_cut(config, ranks, here.rank()));
        LlamaWeights part = tensor_part(weights, shards.cut());
        part.shards = &shards;
        logits[here.rank()] = decoded(part, config, here.rank() == 1 ? 2 : 1);
      });
      for (size_t rank = 1; rank < ranks; ++rank) CHECK(logits[rank] == logits[0]);
      CHECK(relative_error(as_view(logits[0]), as_view(expected)) < logit_tolerance);
    }
}

TEST_CASE("a pipeline decodes with the bits of the whole model") {
  for (const LlamaConfig& config : {untied(), tied()})
    for (size_t ranks = 1; ranks <= config.layers; ++ranks) {
      CAPTURE(config.tied_embeddings, ranks);
      const LlamaParameters weights = random_model(config, 3);
      std::vector<std::vector<real>> logits(ranks);
      run_ranks(ranks, [&](Communicator& here) {
        PipelineShards shards(here, config);
        LlamaWeights part = pipeline_part(weights, shards);
        part.shards = &shards;
        logits[here.rank()] = decoded(part, config, here.rank() + 1);
      });
      for (size_t rank = 0; rank < ranks; ++rank) CHECK(logits[rank] == decoded(weights, config, 1));
    }
}

TEST_CASE("a token that no rank has in its vocabulary is refused, by all of them") {
  const LlamaConfig config = tied();
  const LlamaParameters weights = random_model(config, 3);
  for (const std::int32_t token : {-1, std::int32_t(config.vocabulary_size)}) {
    CAPTURE(token);
    std::vector<int> tensor(2), pipeline(2);  // whether each refuses it
    const auto refuses = [&](const LlamaWeights& part) {
      try {
        Decoder(part, 8).feed(std::vector{token});
      } catch (const ContractError&) {
        return true;
      }
      return false;
    };
    run_ranks(2, [&](Communicator& here) {
      TensorShards shards(here, tensor_cut(config, 2, here.rank()));
      LlamaWeights part = tensor_part(weights, shards.cut());
      part.shards = &shards;
      tensor[here.rank()] = refuses(part);
      PipelineShards stage(here, config);
      LlamaWeights layers = pipeline_part(weights, stage);
      layers.shards = &stage;
      pipeline[here.rank()] = refuses(layers);
    });
    CHECK(tensor == std::vector{1, 1});
    CHECK(pipeline == std::vector{1, 1});
  }
}

TEST_CASE("tensor parallel gradients are those of the whole model") {
  constexpr size_t B = 6, T = 9;
  for (const LlamaConfig& config : {untied(), tied()})
    for (const size_t ranks : ranks_of(config)) {
      CAPTURE(config.tied_embeddings, ranks);
      const LlamaParameters weights = random_model(config, 3), expected(config), gradients(config);
      const TokenBatch batch = random_batch(B, T, 5);
      LossEvaluator evaluator(config, B, T, true);
      const double loss = evaluator.forward_backward(weights, batch, 0.1, expected);
      std::vector<double> losses(ranks);
      run_ranks(ranks, [&](Communicator& here) {
        TensorParallel peers(here, config);
        const LlamaParameters part(peers.config()), d_part(peers.config());
        peers.deal(Held::weights, weights.flat(), part.flat());
        const Trainable trainable = tensor_trainable(part, peers);
        const LaneModel lane = trainable.lane(d_part);
        const auto sharded = trainable.evaluator(B, T);
        losses[here.rank()] = sharded->forward_backward(lane.weights, batch, cross_entropy(0.1), lane.gradients);
        const std::span<real> lanes[] = {d_part.flat()};
        peers.sum_lanes(lanes);
        peers.gather(Held::weights, d_part.flat(), gradients.flat());
      });
      for (const double own : losses) CHECK(std::abs(own / loss - 1) < part_tolerance);
      gradients.for_each([&, at = size_t(0)](const std::string& name, const auto& view) mutable {
        CAPTURE(name);
        const View<real, 1> same = expected.flat(Range{at, at + view.size()});
        CHECK(relative_error(view.flat(), same) < part_tolerance);
        at += view.size();
      });
    }
}

namespace {

// 4 columns of an (5, 4) matrix after one of (4, 5), in ranks: Σ over ranks of (x A_rᵀ) B_r.
struct ByHand {
  static constexpr real gate[4][2] = {{1, 0}, {0, 1}, {1, 1}, {1, -1}}, down[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
};

}  // namespace

TEST_CASE("columns, then rows: the numbers of the lesson") {
  // x = (1, 2); A x = (1, 2, 3, -1); B A x = (10, 30), of which rank 0 has (5, 17) and rank 1 (5, 13).
  const real x[] = {1, 2};
  std::vector<std::vector<real>> parts(2), sums(2);
  run_ranks(2, [&](Communicator& here) {
    const Range own = Shares{2, 4, 4}.of(here.rank());
    std::vector<real> part(2), room(2);
    for (size_t f = own.begin; f < own.end; ++f) {
      const real inner = ByHand::gate[f][0] * x[0] + ByHand::gate[f][1] * x[1];
      for (size_t c = 0; c < 2; ++c) part[c] += ByHand::down[c][f] * inner;
    }
    parts[here.rank()] = part;
    sum_in_rank_order(here, part, room);
    sums[here.rank()] = part;
  });
  CHECK(parts[0] == std::vector<real>{5, 17});
  CHECK(parts[1] == std::vector<real>{5, 13});
  for (const std::vector<real>& sum : sums) CHECK(sum == std::vector<real>{10, 30});
}

TEST_CASE("a sum in rank order has the same bits on all ranks, for any length, and costs what is said") {
  for (const size_t ranks : {1, 2, 3, 4, 5})
    for (const size_t length : {1, 2, 7, 64}) {
      CAPTURE(ranks, length);
      const auto of_rank = [&](size_t rank) { return random_array<1>({length}, 10 + rank); };
      Array<real, 1> expected = of_rank(0);
      for (size_t rank = 1; rank < ranks; ++rank) expected += of_rank(rank);
      std::vector<Array<real, 1>> sums(ranks);
      std::vector<std::uint64_t> sent(ranks);
      run_ranks(ranks, [&](Communicator& here) {
        Array<real, 1>& numbers = sums[here.rank()] = of_rank(here.rank());
        std::vector<real> room((length + ranks - 1) / ranks * ranks);
        sum_in_rank_order(here, {numbers.data(), length}, room);
        sent[here.rank()] = here.bytes_sent();
      });
      for (size_t rank = 0; rank < ranks; ++rank) {
        CHECK(difference(sums[rank], expected, 0) == "");
        CHECK(sent[rank] == sum_traffic(ranks, rank, length).bytes);
      }
    }
}

TEST_CASE("a pass sends what was predicted, byte for byte, tensor parallel and in a pipeline") {
  const LlamaConfig config = untied();
  const LlamaParameters weights = random_model(config, 3);
  const std::vector<std::int32_t> prompt = {3, 1, 4, 1, 5};
  for (const size_t ranks : {1, 2, 3}) {
    const bool layers_suffice = ranks <= config.layers;
    std::vector<std::uint64_t> tensor(ranks), pipeline(ranks);
    run_ranks(ranks, [&](Communicator& here) {
      TensorShards shards(here, tensor_cut(config, ranks, here.rank()));
      LlamaWeights part = tensor_part(weights, shards.cut());
      part.shards = &shards;
      Decoder(part, 8).feed(prompt);
      const std::uint64_t before = tensor[here.rank()] = here.bytes_sent();
      if (!layers_suffice) return;
      PipelineShards stage(here, config);
      LlamaWeights layers = pipeline_part(weights, stage);
      layers.shards = &stage;
      Decoder(layers, 8).feed(prompt);
      pipeline[here.rank()] = here.bytes_sent() - before;
    });
    for (size_t rank = 0; rank < ranks; ++rank) {
      CHECK(tensor[rank] == tensor_pass(config, ranks, rank, 5, 1).bytes);
      if (layers_suffice) CHECK(pipeline[rank] == pipeline_pass(config, ranks, rank, 5, 1).bytes);
    }
  }
}

TEST_CASE("who has which heads: the table of the lesson, and what is refused") {
  LlamaConfig c = untied();
  c.heads = 8, c.kv_heads = 4, c.hidden_dim = 10;
  const auto range = [](Range r) { return std::pair(r.begin, r.end); };
  using Pair = std::pair<size_t, size_t>;
  const TensorCut second = tensor_cut(c, 2, 1), uneven = tensor_cut(c, 3, 2), shared = tensor_cut(c, 8, 5);
  CHECK(range(second.groups) == Pair(2, 4));
  CHECK(range(second.heads) == Pair(4, 8));
  CHECK(range(second.hidden) == Pair(5, 10));
  CHECK(range(second.same_groups) == Pair(1, 2));
  CHECK(range(uneven.groups) == Pair(2, 4));
  CHECK(range(uneven.heads) == Pair(4, 8));
  CHECK(range(shared.groups) == Pair(2, 3));
  CHECK(range(shared.heads) == Pair(5, 6));
  CHECK(range(shared.same_groups) == Pair(4, 6));
  CHECK_THROWS_WITH(tensor_cut(c, 6, 0), contains("6 ranks cannot share 8 heads in 4 groups"));
  CHECK_THROWS_WITH(tensor_cut(c, 16, 0), contains("16 ranks cannot share"));
}

TEST_CASE("the loss from parts of the logits: the numbers of the lesson") {
  // Four logits on two ranks, log 1, log 2 | log 4, log 1; the target is the third token: p = 4/8.
  const std::vector<real> one = {0, std::log(real(2))}, other = {std::log(real(4)), 0};
  const auto part = [](const std::vector<real>& logits, Range tokens) {
    return row_part(View<const real, 1>(logits.data(), {2}), tokens, 2);
  };
  const RowPart parts[] = {part(one, {0, 2}), part(other, {2, 4})};
  CHECK(difference(parts[0].sum, 1.5, 2 * epsilon) == "");
  CHECK(difference(parts[1].sum, 1.25, 2 * epsilon) == "");
  CHECK(parts[0].target == 0);
  const RowLoss loss = join_parts(parts);
  CHECK(difference(loss.log_sum_exp, std::log(8.0), 4 * epsilon) == "");
  CHECK(difference(loss.log_p, std::log(0.5), 4 * epsilon) == "");
  std::vector<real> d(2);
  sharded_loss_backward(View<const real, 1>(other.data(), {2}), {2, 4}, 2, loss.log_sum_exp, -1, {d.data(), {2}});
  CHECK(difference(d, std::vector<real>{-0.5, 0.125}, 4 * epsilon) == "");
}
