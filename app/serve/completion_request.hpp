// CompletionRequest: the body of POST /v1/completions, a text to be continued.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "app/serve/text_settings.hpp"
#include "chapters/01-bpe/bpe_model.hpp"

namespace cria::serve {

using Prompt = std::variant<std::string, std::vector<TokenId>>;

struct CompletionRequest {
  TextSettings settings;
  std::vector<Prompt> prompts;
  bool echo = false;  // the prompt is part of the answer
};

constexpr size_t usual_completion = 16;  // tokens, where a request does not say: OpenAI's

/// Token ids must be below `vocabulary`. Throws ApiError naming what is wrong.
CompletionRequest read_completion_request(const nlohmann::json& body, const SamplingOptions& defaults,
                                          size_t vocabulary, std::string_view text = "");

/// A list of token ids; `key` is what messages call it.
std::vector<TokenId> read_token_ids(const nlohmann::json& list, const std::string& key, size_t vocabulary);

}  // namespace cria::serve
