// TextSettings: what a request says of the texts it wants, in chat and completions alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/serve/fields.hpp"
#include "chapters/09-sampling/sampling.hpp"

namespace cria::serve {

struct TextSettings {
  std::string model;             // empty: whatever is served
  SamplingOptions sampling;      // of the first text; the next one's seed is one more
  std::optional<size_t> tokens;  // at most
  std::vector<std::string> stops;
  size_t count = 1;                // texts of each prompt
  std::optional<size_t> logprobs;  // of each token, and of so many others
  bool stream = false, include_usage = false;
};

constexpr size_t most_texts = 128, most_stops = 16, longest_stop = 1000, most_logprobs = 20;

/// Takes what both kinds of requests have. What is not said is as in `defaults`, with a seed that is drawn. Throws
/// ApiError.
TextSettings read_text_settings(Fields& fields, const SamplingOptions& defaults);

/// The form that the text is to have. This is the one place for it: a constraint that the engine knows would be
/// returned here, and become part of the settings. Throws ApiError for any other form than plain text.
void read_response_format(Fields& fields);

}  // namespace cria::serve
