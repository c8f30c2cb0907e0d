#include "app/serve/completion_request.hpp"

#include <fmt/format.h>

#include "app/serve/api_error.hpp"
#include "lib/formats/json.hpp"

namespace cria::serve {
namespace {

std::vector<Prompt> read_prompts(const nlohmann::json& value, size_t vocabulary) {
  if (value.is_string()) return {value.get<std::string>()};
  if (!value.is_array() || value.empty())
    throw ApiError(400, fmt::format("prompt is {}, expected a text, token ids, or a list of these", shown_json(value)),
                   "prompt");
  if (value.front().is_number()) return {read_token_ids(value, "prompt", vocabulary)};
  if (value.size() > most_texts)
    throw ApiError(400, fmt::format("there are more than {} prompts", most_texts), "prompt");
  std::vector<Prompt> prompts;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i].is_string())
      prompts.emplace_back(value[i].get<std::string>());
    else
      prompts.emplace_back(read_token_ids(value[i], fmt::format("prompt[{}]", i), vocabulary));
  }
  return prompts;
}

}  // namespace

std::vector<TokenId> read_token_ids(const nlohmann::json& list, const std::string& key, size_t vocabulary) {
  if (!list.is_array() || list.empty())
    throw ApiError(400, fmt::format("{} is {}, expected token ids", key, shown_json(list)), key);
  std::vector<TokenId> ids;
  ids.reserve(list.size());
  for (const nlohmann::json& id : list) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= vocabulary)
      throw ApiError(
          400, fmt::format("{} has {}, expected token ids from 0 to {}", key, shown_json(id), vocabulary - 1), key);
    ids.push_back(id.get<TokenId>());
  }
  return ids;
}

CompletionRequest read_completion_request(const nlohmann::json& body, const SamplingOptions& defaults,
                                          size_t vocabulary, std::string_view text) {
  Fields fields(body);
  CompletionRequest request;
  request.prompts = read_prompts(fields.require("prompt", "a text, token ids, or a list of these"), vocabulary);
  request.settings = read_text_settings(fields, defaults, text);
  request.settings.tokens = static_cast<size_t>(fields.integer("max_tokens", 0, INT32_MAX).value_or(usual_completion));
  if (const auto others = fields.integer("logprobs", 0, most_logprobs))
    request.settings.logprobs = static_cast<size_t>(*others);
  request.echo = fields.boolean("echo").value_or(false);
  if (request.echo && request.settings.logprobs)
    throw ApiError(400, "logprobs of an echoed prompt are not supported here", "logprobs", "unsupported_parameter");
  fields.accept_only("best_of", request.settings.count);
  fields.accept_only("suffix", "");
  fields.refuse_others();
  if (request.prompts.size() * request.settings.count > most_texts)
    throw ApiError(400,
                   fmt::format("{} prompts with n = {} are more than {} texts", request.prompts.size(),
                               request.settings.count, most_texts),
                   "n");
  return request;
}

}  // namespace cria::serve
