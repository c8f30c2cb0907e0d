// The built-in stories on request, as conversations: an endless supply of questions whose answers can be judged.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "chapters/14-sft/instruction_encoder.hpp"
#include "lib/grammar/judge_answer.hpp"
#include "lib/grammar/request.hpp"

namespace cria {

class StoryRequests {
 public:
  /// Numbers from here on are those of combinations of slots that training leaves out.
  static constexpr std::uint64_t held_out = std::uint64_t{1} << 63;

  explicit StoryRequests(std::uint64_t seed);
  StoryRequests(const StoryRequests&) = delete;  // its parts point to each other

  /// Request number i of a seed is always the same one, whatever was asked for before. Threads may share it.
  RequestedStory at(std::uint64_t index) const;
  /// What an answer to a request obeys.
  AnswerJudgement judge(const Request& request, std::string_view answer) const {
    return judge_answer(parser_, request.asked, answer);
  }
  const Grammar& grammar() const { return grammar_; }

  /// Of the files that the stories and their requests come from.
  static std::uint64_t fingerprint();

 private:
  std::uint64_t seed_;
  Grammar grammar_;
  RequestSource source_;
  Parser parser_;
};

/// A request as a conversation, without its answer.
inline std::vector<Message> as_question(const Request& request) { return {{"user", request.text}}; }

/// The chat template in which a model without one of its own is asked for stories.
std::string request_template();

}  // namespace cria
