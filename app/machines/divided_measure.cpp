#include "app/machines/divided_measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/machines/digest.hpp"
#include "app/machines/divided_model.hpp"
#include "app/machines/machines.hpp"
#include "app/quantities.hpp"
#include "app/weights/divided_plan.hpp"
#include "app/weights/model_costs.hpp"
#include "chapters/09-sampling/decoder.hpp"
#include "chapters/21-several-machines/data_parallel.hpp"
#include "chapters/21-several-machines/divided_costs.hpp"
#include "chapters/21-several-machines/machine_costs.hpp"
#include "chapters/21-several-machines/pipeline.hpp"
#include "chapters/21-several-machines/tensor_parallel.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

double median(std::vector<double> times) {
  std::ranges::nth_element(times, times.begin() + std::ptrdiff_t(times.size() / 2));
  return times[times.size() / 2];
}

/// Of `count` turns, behind one that is not counted: the median.
double seconds_of(size_t count, const std::function<void()>& work) {
  std::vector<double> times;
  work();
  for (size_t i = 0; i < count; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return median(times);
}

class Bench {
 public:
  Bench(Communicator& ranks, const LlamaConfig& config, const TrainerOptions& training)
      : ranks_(ranks), config_(config), training_(training), tokens_(2 * training.batch * training.positions) {
    Random random(1);
    for (std::int32_t& token : tokens_)
      token = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(config.vocabulary_size)));
    const Shape<2> shape = {training.batch, training.positions};
    batch_.tokens = {tokens_.data(), shape}, batch_.targets = {tokens_.data() + element_count(shape), shape};
  }

  /// From rank 0 to the last one: half of there and back, and what a long message takes beyond that.
  Network network() {
    const size_t last = ranks_.size() - 1, rank = ranks_.rank();
    std::vector<std::byte> bytes(size_t{8} << 20), one(1);
    const auto there_and_back = [&](std::span<std::byte> there) {
      if (rank == 0) ranks_.send(last, there), ranks_.receive(last, one);
      if (rank == last) ranks_.receive(0, there), ranks_.send(0, one);
    };
    const double latency = seconds_of(101, [&] { there_and_back(one); }) / 2;
    const double all = seconds_of(5, [&] { there_and_back(bytes); });
    return {double(bytes.size()) / std::max(all - 2 * latency, 1e-9), latency};
  }

  double token_of_one() {
    return alone([&] { return token(LlamaWeights(*weights())); });
  }
  double step_of_one() {
    return alone([&] {
      ThreadPool pool(1);
      const auto whole = weights();
      Trainer trainer(*whole, training_, pool);
      return seconds_of(steps, [&] { trainer.step(batch_, rate); });
    });
  }

  Json tensor_token() {
    const auto whole = weights();
    TensorShards shards(ranks_, tensor_cut(config_, ranks_.size(), ranks_.rank()));
    LlamaWeights part = tensor_part(*whole, shards.cut());
    part.shards = &shards;
    return token_in_parts(part, tensor_pass);
  }
  Json pipeline_token() {
    const auto whole = weights();
    PipelineShards shards(ranks_, config_);
    LlamaWeights part = pipeline_part(*whole, shards);
    part.shards = &shards;
    return token_in_parts(part, pipeline_pass);
  }
  Json data_step() {
    const auto whole = weights();
    DataParallel peers(ranks_);
    ThreadPool pool(1);
    Trainer trainer(*whole, training_, pool, &peers);
    const TrainerOptions& o = training_;
    return step(peers, trainer, [&](size_t rank) {
      return step_bytes({ranks_.size(), o.lanes, parameter_count(config_), o.batch, o.positions, false}, rank);
    });
  }
  Json tensor_step() {
    TensorParallel peers(ranks_, config_);
    const LlamaParameters part(peers.config());
    Random random(1);
    initialise(part, random);
    ThreadPool pool(1);
    Trainer trainer(part.config(), tensor_trainable(part, peers), training_, pool, &peers);
    return step(peers, trainer,
                [&](size_t rank) { return cria::tensor_step(config_, training_, ranks_.size(), rank, false).bytes; });
  }

 private:
  static constexpr size_t steps = 7, token_count = 64;
  static constexpr double rate = 1e-6;

  std::unique_ptr<LlamaParameters> weights() const {
    auto whole = std::make_unique<LlamaParameters>(config_);
    Random random(1);
    initialise(*whole, random);
    return whole;
  }

  /// Rank 0's; the others wait, and get it.
  double alone(const std::function<double()>& work) {
    double seconds = ranks_.rank() == 0 ? work() : 0;
    broadcast(ranks_, std::span(&seconds, 1));
    return seconds;
  }

  /// The same tokens on all ranks, whatever the logits say.
  double token(const LlamaWeights& weights) {
    Decoder decoder(weights, token_count + 1, 1);
    size_t at = 0;
    return seconds_of(token_count, [&] { decoder.feed({&tokens_[at++ % tokens_.size()], 1}); });
  }
  Json token_in_parts(const LlamaWeights& part,
                      Traffic predicted(const LlamaConfig&, size_t ranks, size_t rank, size_t rows, size_t logits)) {
    const std::uint64_t before = ranks_.bytes_sent();
    const double seconds = token(part);
    return with_bytes(seconds, (ranks_.bytes_sent() - before) / (token_count + 1),
                      [&](size_t rank) { return predicted(config_, ranks_.size(), rank, 1, 1).bytes; });
  }

  Json step(LedPeers& peers, Trainer& trainer, const std::function<std::uint64_t(size_t rank)>& predicted) {
    const std::uint64_t before = ranks_.bytes_sent();
    const double seconds = seconds_of(steps, [&] {
      const Task task = ranks_.rank() > 0 ? peers.next() : Task();
      trainer.step(ranks_.rank() > 0 ? task.batch : batch_, rate);
    });
    return with_bytes(seconds, (ranks_.bytes_sent() - before) / (steps + 1), predicted);
  }

  Json with_bytes(double seconds, std::uint64_t sent, const std::function<std::uint64_t(size_t rank)>& predicted) {
    const size_t N = ranks_.size();
    std::vector<std::uint64_t> all(N), expected(N);
    all[ranks_.rank()] = sent;
    all_gather(ranks_, std::span(all), {N, N, N});
    for (size_t rank = 0; rank < N; ++rank) expected[rank] = predicted(rank);
    return {{"seconds", seconds}, {"bytes", all}, {"predicted_bytes", expected}};
  }

  Communicator& ranks_;
  const LlamaConfig& config_;
  const TrainerOptions& training_;
  std::vector<std::int32_t> tokens_;
  Batch batch_;
};

void print_rows(const char* what, const Json& predicted, const Json& measured) {
  fmt::print("{:11}{:9} {:>12} {:>12} {:>11} {:>11}\n", what, "one", "", "", "", duration_text(predicted["one"]));
  for (const auto& [way, is] : measured.items()) {
    fmt::print("{:11}{:9} {:>12} {:>12} {:>11} {:>11}\n", "", way,
               grouped(is["predicted_bytes"][0].get<std::uint64_t>()), grouped(is["bytes"][0].get<std::uint64_t>()),
               duration_text(predicted[way]["seconds"]), duration_text(is["seconds"]));
    for (size_t rank = 1; rank < is["bytes"].size(); ++rank)
      if (is["bytes"][rank] != is["predicted_bytes"][rank])
        fmt::print("{:20} rank {} sent {}, predicted {}\n", "", rank, grouped(is["bytes"][rank].get<std::uint64_t>()),
                   grouped(is["predicted_bytes"][rank].get<std::uint64_t>()));
  }
}

}  // namespace

void check_measuring(bool measure, bool planned) {
  const bool several = launched().ranks > 1;
  if (measure && !several) throw UserError("--measure is for several ranks: start it with mpirun -n 2");
  if (measure && planned)
    throw UserError("beside --measure only --context and --json are of use: it finds ranks and network as they are");
  if (several && !measure)
    throw UserError("on several ranks plan can only measure what they do: --measure; or start it without mpirun");
}

void measure_divided(const std::function<MeasuredModel()>& read, bool json) {
  DividedModel divided("tensor");
  MeasuredModel model;
  const LlamaConfig& config = model.config;
  const TrainerOptions& training = model.training;
  divided.prepare([&] {
    model = read();
    require_memory(config, training, 1);
  });
  const Digest digest = Digest().add(numbers_of(config)).add(numbers_of(training));
  divided.require_alike({{"another model, or another --context,", digest.text()}});
  divided.run([&] {
    Bench bench(divided.ranks(), config, training);
    const Network network = bench.network();
    const double token = bench.token_of_one(), step = bench.step_of_one();
    const size_t N = divided.ranks().size();
    Json plan = divided_plan(config, training, N, network, token, step);
    Json measured = {{"token", Json::object()}, {"step", Json::object()}};
    if (plan["token"].contains("tensor")) measured["token"]["tensor"] = bench.tensor_token();
    if (plan["token"].contains("pipeline")) measured["token"]["pipeline"] = bench.pipeline_token();
    if (plan["step"].contains("data")) measured["step"]["data"] = bench.data_step();
    if (plan["step"].contains("tensor")) measured["step"]["tensor"] = bench.tensor_step();
    if (!divided.leads()) return;
    if (json) {
      plan["measured"] = measured;
      return fmt::print("{}\n", plan.dump(2));
    }
    fmt::print("{} ranks, one thread each; {:.3g} Gbit/s and {} between rank 0 and rank {}\n\n", N,
               network.bandwidth * 8e-9, duration_text(network.latency), N - 1);
    fmt::print("{:20} {:>25} {:>23}\n{:20} {:>12} {:>12} {:>11} {:>11}\n", "", "bytes that rank 0 sends", "time", "",
               "predicted", "measured", "predicted", "measured");
    print_rows("a token", plan["token"], measured["token"]);
    print_rows("a step", plan["step"], measured["step"]);
  });
}

}  // namespace cria
