// cria judge --requests
#pragma once

#include <map>
#include <span>
#include <string>

#include "app/judge.hpp"
#include "lib/grammar/judge_answer.hpp"
#include "lib/grammar/request_file.hpp"

namespace cria {

/// How well a set of answers obeys.
struct Obedience {
  struct Share {
    size_t obeyed = 0, asked = 0;
    double value() const { return asked ? double(obeyed) / double(asked) : 0; }
  };
  size_t answers = 0, parsed = 0;
  Share slots, whole;
  std::map<std::string, Share> by_slot;
  std::map<size_t, Share> by_count;  // whole requests, by the number of slots asked for
};

Obedience measure_obedience(const Parser& parser, std::span<const AnsweredRequest> answered);

/// Returns the exit code. Throws UserError for a file that holds no requests.
int run_judge_requests(const JudgeOptions& options);

}  // namespace cria
