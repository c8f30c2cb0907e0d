// cria plan --machines: what is sent, and how long it takes, where machines have a model or a batch together.
#pragma once

#include <nlohmann/json.hpp>

#include "chapters/10-training-step/trainer.hpp"

namespace cria {

struct Network {
  double bandwidth;  // bytes a second
  double latency;    // seconds
};

/// What each of several machines holds in a training run: all weights, and the work of its share of the lanes.
nlohmann::ordered_json machine_memory(const LlamaConfig& config, const TrainerOptions& training, size_t machines);

/// `token` and `step` are the seconds of one machine, at its limits.
nlohmann::ordered_json divided_plan(const LlamaConfig& config, const TrainerOptions& training, size_t machines,
                                    const Network& network, double token, double step);

/// The report of `cria plan`, with the former as "on_each_machine" and the latter as "divided".
void print_divided_plan(const nlohmann::ordered_json& report);

}  // namespace cria
