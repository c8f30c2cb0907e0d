// Requests with answers in a file: Alpaca's JSON form (instruction, input, output; Taori et al. 2023,
// github.com/tatsu-lab/stanford_alpaca), with the slots that are asked for beside them.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/grammar/request.hpp"

namespace cria {

struct AnsweredRequest {
  Request request;
  std::string answer;
  std::optional<double> log2_probability;  // of the answer, given the request
};

struct RequestTotals {
  size_t requests = 0, bytes = 0;  // of the answers, with a byte more for the end of each
  double bits = 0;                 // the sum of -log2 of the answers' probabilities
  double floor() const { return bytes ? bits / static_cast<double>(bytes) : 0; }
};

/// One object a request: {"instruction": …, "input": "", "output": …, "slots": {"name": …}, "log2_probability": …}.
/// Bytes that are not UTF-8 are written as U+FFFD.
std::string to_json(const Grammar& grammar, const AnsweredRequest& answered);

/// Writes a list of `count` drawn requests, piece by piece.
RequestTotals write_requests(const RequestSource& source, std::uint64_t seed, size_t count, Combinations combinations,
                             const std::function<void(std::string_view)>& write);

/// The same of requests that have answers.
void write_requests(const Grammar& grammar, std::span<const AnsweredRequest> requests,
                    const std::function<void(std::string_view)>& write);

/// Reads such a list. Throws UserError naming the file and the request for what is none, for an unknown slot, and when
/// there is no request at all.
std::vector<AnsweredRequest> read_requests(const std::filesystem::path& file, const Grammar& grammar);

}  // namespace cria
