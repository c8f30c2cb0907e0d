// TextSettings: what a request says of the texts it wants, in chat and completions alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/serve/fields.hpp"
#include "chapters/09-sampling/sampling.hpp"
#include "chapters/22-serving/byte_grammar.hpp"

namespace cria::serve {

struct TextSettings {
  std::string model;             // empty: whatever is served
  SamplingOptions sampling;      // of the first text; the next one's seed is one more
  std::optional<size_t> tokens;  // at most
  std::vector<std::string> stops;
  size_t count = 1;                // texts of each prompt
  std::optional<size_t> logprobs;  // of each token, and of so many others
  bool stream = false, include_usage = false;
  std::optional<ByteGrammar> format;  // that the text is to have; none: any
};

constexpr size_t most_texts = 128, most_stops = 16, longest_stop = 1000, most_logprobs = 20;
constexpr size_t longest_schema = 64 << 10;  // bytes

/// Takes what both kinds of requests have. What is not said is as in `defaults`, with a seed that is drawn. `body` is
/// the request's text, in which a schema's properties stand in their order. Throws ApiError.
TextSettings read_text_settings(Fields& fields, const SamplingOptions& defaults, std::string_view body = "");

/// The form that the text is to have: JSON, or JSON that fits a schema. Throws ApiError.
std::optional<ByteGrammar> read_response_format(Fields& fields, std::string_view body);

}  // namespace cria::serve
