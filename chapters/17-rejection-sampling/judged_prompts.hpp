// Chapter 17: prompts without end whose answers can be judged, for the methods that learn from a model's own answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "chapters/14-sft/story_requests.hpp"

namespace cria {

struct JudgedPrompts {
  /// Numbers from here on are held out: never trained on.
  static constexpr std::uint64_t held_out = StoryRequests::held_out;

  std::function<std::vector<TokenId>(std::uint64_t index)> prompt;  // number `index`, always the same
  /// How good an answer to it is; more is better.
  std::function<double(std::uint64_t index, std::string_view answer)> reward;
  std::uint64_t fingerprint = 0;  // of what they are
};

/// The built-in requests, with the exact judge: 1 for a story that obeys all that was asked for, else 0. The encoder
/// must outlive it.
JudgedPrompts story_prompts(std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder);

}  // namespace cria
