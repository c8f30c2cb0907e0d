// AnswerForm: texts in the forms of OpenAI's API, as one object or as the events of a stream. All chunks of a stream
// have the same id and time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/serve/json.hpp"
#include "app/serve/token_logprobs.hpp"
#include "chapters/01-bpe/tokenizer.hpp"

namespace cria::serve {

/// A text of an answer.
struct Choice {
  std::string text;
  std::vector<TokenLogprobs> tokens;  // where they were asked for
  bool ended = false;                 // by itself or a stop string, not by its length
};

struct Usage {
  size_t prompt_tokens = 0, tokens = 0;
};

class AnswerForm {
 public:
  enum class Kind { chat, completion };

  /// The tokenizer must outlive it. `logprobs`: they were asked for. `counts`: a stream ends with what it took.
  AnswerForm(Kind kind, std::string model, const Tokenizer& tokenizer, bool logprobs, bool counts = false);

  Json whole(std::span<const Choice> choices, const Usage& usage) const;

  /// The chunks of a stream; of each text the first, its parts, and its last.
  Json first_chunk(size_t index) const;
  Json chunk(size_t index, std::string_view text, std::span<const TokenLogprobs> tokens);
  Json last_chunk(size_t index, bool ended) const;
  Json usage_chunk(const Usage& usage) const;

  bool is_chat() const { return kind_ == Kind::chat; }

 private:
  Json head(bool chunk) const;
  Json chunk_of(Json choice) const;
  Json logprobs_of(std::span<const TokenLogprobs> tokens, size_t& offset) const;

  Kind kind_;
  std::string id_, model_;
  std::int64_t created_;
  const Tokenizer& tokenizer_;
  bool logprobs_, counts_;
  std::vector<size_t> offsets_;  // of the next token of each text, in characters
};

/// "data: …" and an empty line: an event of a stream.
std::string stream_event(const Json& value);
constexpr std::string_view end_of_stream = "data: [DONE]\n\n";

}  // namespace cria::serve
