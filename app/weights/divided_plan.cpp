#include "app/weights/divided_plan.hpp"

#include <fmt/format.h>

#include "app/quantities.hpp"
#include "app/thread_count.hpp"
#include "app/weights/model_costs.hpp"
#include "chapters/21-several-machines/data_parallel.hpp"
#include "chapters/21-several-machines/divided_costs.hpp"
#include "chapters/21-several-machines/machine_costs.hpp"
#include "chapters/21-several-machines/tensor_cut.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

/// Rank 0 sends most of all, or as much as any.
Json way(double computing, const Traffic& traffic, double waiting) {
  return {{"bytes", traffic.bytes}, {"rounds", traffic.rounds}, {"seconds", computing + waiting}};
}

/// The model cut in so many ways; none where it cannot be.
bool can_be_cut(const LlamaConfig& c, size_t machines) {
  try {
    tensor_cut(c, machines, 0);
  } catch (const UserError&) {
    return false;
  }
  return true;
}

/// As `train` sees it.
bool can_share_lanes(size_t machines, const TrainerOptions& options) {
  try {
    require_enough_lanes(machines, options);
  } catch (const UserError&) {
    return false;
  }
  return true;
}

Json token_plan(const LlamaConfig& c, size_t N, const Network& net, double token) {
  Json plan = {{"one", token}};
  if (can_be_cut(c, N)) {
    const Traffic traffic = tensor_pass(c, N, 0, 1, 1);
    plan["tensor"] = way(token / double(N), traffic, traffic.seconds(net.bandwidth, net.latency));
  }
  if (N <= c.layers) {
    // One after the other: activations from rank to rank, and the logits round to those who choose a token.
    double waiting = 0;
    for (size_t rank = 0; rank < N; ++rank)
      waiting += pipeline_pass(c, N, rank, 1, 1).seconds(net.bandwidth, net.latency);
    plan["pipeline"] = way(token, pipeline_pass(c, N, 0, 1, 1), waiting);
  }
  return plan;
}

Json step_plan(const LlamaConfig& c, const TrainerOptions& o, size_t N, const Network& net, double step) {
  Json plan = {{"one", step}};
  if (can_share_lanes(N, o)) {
    const size_t P = parameter_count(c);
    // One after the other: what is to be done and the sum along the chain, shares back, and three things round a ring.
    const Traffic traffic = {step_bytes({N, o.lanes, P, o.batch, o.positions, false}, 0), 5 * (N - 1) + 1};
    // An inner rank of the chain takes a piece and then passes it on; then the shares, and the ring. At most: what the
    // last micro-batch's backward pass hides of the first two is not taken off.
    const double times = (N > 2 ? 2 : 1) + 2 * double(N - 1) / double(N);
    const double bytes = times * double(P * sizeof(real));
    plan["data"] = way(step / double(N), traffic, bytes / net.bandwidth + double(traffic.rounds) * net.latency);
  }
  if (can_be_cut(c, N)) {
    const Traffic traffic = tensor_step(c, o, N, 0, false);
    plan["tensor"] = way(step / double(N), traffic, traffic.seconds(net.bandwidth, net.latency));
  }
  return plan;
}

void print_ways(const char* label, const char* what, const Json& plan) {
  std::vector<std::string> parts = {fmt::format("{} takes one machine {};", what, duration_text(plan["one"]))};
  for (const auto& [name, cost] : plan.items())
    if (cost.is_object())
      parts.push_back(
          fmt::format("{} parallel {}, {} sent;", name, duration_text(cost["seconds"]), bytes_text(cost["bytes"])));
  parts.back().pop_back();
  for (std::string& part : parts)
    if (part.starts_with("pipeline parallel")) part.replace(0, 17, "in a pipeline");
  print_parts(label, parts);
}

}  // namespace

Json machine_memory(const LlamaConfig& c, const TrainerOptions& training, size_t machines) {
  TrainerOptions share = training;
  share.lanes = (share.lanes + machines - 1) / machines;
  const TrainingMemory memory = training_memory(c, share, thread_count(0));
  const size_t spared = memory.moments - memory.moments / machines;
  return {{"lanes", share.lanes}, {"bytes", memory.total()}, {"bytes_with_shared_moments", memory.total() - spared}};
}

Json divided_plan(const LlamaConfig& c, const TrainerOptions& training, size_t machines, const Network& network,
                  double token, double step) {
  return {{"machines", machines},
          {"bandwidth", network.bandwidth},
          {"latency", network.latency},
          {"token", token_plan(c, machines, network, token)},
          {"step", step_plan(c, training, machines, network, step)}};
}

void print_divided_plan(const Json& report) {
  const Json &each = report["on_each_machine"], &plan = report["divided"];
  print_parts("machines",
              {fmt::format("each of {} trains with", plan["machines"].get<size_t>()), bytes_text(each["bytes"]),
               fmt::format("(all weights and moments, {} of the lanes),", each["lanes"].get<size_t>()),
               bytes_text(each["bytes_with_shared_moments"]), "where each keeps its share of the moments",
               "(ZeRO, Rajbhandari et al. 2020)"});
  print_ways("divided", "a token", plan["token"]);
  print_ways("", "a training step", plan["step"]);
  print_parts("", {fmt::format("(with {} machines, {} a second and {} between them)", plan["machines"].get<size_t>(),
                               bytes_text(plan["bandwidth"]), duration_text(plan["latency"]))});
}

}  // namespace cria
