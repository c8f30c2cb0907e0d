#include "app/serve/look_next.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "app/look/encoded.hpp"
#include "app/look/next_data.hpp"
#include "app/look/token_data.hpp"
#include "app/serve/api_error.hpp"
#include "app/serve/fields.hpp"

namespace cria::serve {
namespace {

using nlohmann::json;

/// The first token that ends no text.
TokenId plain_token(const ServedModel& model) {
  TokenId token = 0;
  while (std::ranges::find(model.ends, token) != model.ends.end()) ++token;
  return token;
}

/// Leaves one token, so that the text does not end before its logits are told, and nothing is up to chance.
class OneToken : public TokenConstraint {
 public:
  explicit OneToken(TokenId token) : token_(token) {}
  std::unique_ptr<TokenConstraint> clone() const override { return std::make_unique<OneToken>(*this); }
  void mask(View<real, 1> logits) override {
    for (size_t i = 0; i < logits.shape(0); ++i)
      logits(i) = TokenId(i) == token_ ? real(0) : -std::numeric_limits<real>::infinity();
  }
  void take(TokenId) override { taken_ = true; }
  bool complete() override { return taken_; }

 private:
  TokenId token_;
  bool taken_ = false;
};

}  // namespace

TextJob next_job(const Body& body, const ServedModel& model) {
  Fields fields(body.value);
  const json& list = fields.require("tokens", "token ids");
  if (list.size() > model.context)
    throw ApiError(400, "tokens are more than the context has", "tokens", "context_length_exceeded");
  TextJob job;
  job.prompt = read_token_ids(list, "tokens", model.vocabulary);
  fields.refuse_others();
  job.options.tokens = model.room(job.prompt.size(), 1);
  job.options.sampling.temperature = 0;
  job.logprobs = std::min(look::most_next, model.vocabulary);
  job.options.constraint = std::make_shared<OneToken>(plain_token(model));
  return job;
}

json next_tokens(TextJob job, const ServedModel& model, EngineThread& engine, http::Exchange& exchange) {
  PendingTexts pending(engine, {std::move(job)});
  std::optional<TokenLogprobs> known;
  while (!pending.done()) {
    TextPart part = pending.next(exchange);
    if (!part.failure.empty()) throw ApiError(500, part.failure);
    if (part.token) known = std::move(part.token);
  }
  if (!known) throw ApiError(500, "the model gave nothing to draw from");
  std::vector<std::int32_t> ids;
  std::vector<real> logarithms;
  double rest = 1;
  for (const auto& [id, logarithm] : known->likeliest) {
    ids.push_back(id);
    logarithms.push_back(real(logarithm));
    rest -= std::exp(logarithm);
  }
  const bool others = ids.size() < model.vocabulary && rest > 0;
  return {{"next",
           {{"ids", look::encoded(std::span<const std::int32_t>(ids))},
            {"logits", look::encoded(std::span<const real>(logarithms))},
            {"rest", others ? json(std::log(rest)) : json(nullptr)}}},
          {"pieces", look::pieces_of(*model.tokenizer, {ids.begin(), ids.end()})}};
}

}  // namespace cria::serve
