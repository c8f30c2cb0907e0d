// A small model, requests, and what each of them gives alone: fed to a Decoder token by token.
#pragma once

#include <algorithm>
#include <map>

#include "chapters/09-sampling/decoder.hpp"
#include "chapters/22-serving/engine.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

/// Widths beyond a vector's, heads in groups, more tokens than bytes, and room for more than a part of attention.
inline LlamaConfig served_config() {
  LlamaConfig c;
  c.vocabulary_size = 300, c.dim = 96, c.hidden_dim = 160, c.layers = 2, c.heads = 6, c.kv_heads = 3, c.head_dim = 32;
  c.context = 320;
  return c;
}

/// Logits of the size of a trained model's, so that many tokens are likely.
inline LlamaParameters served_model() {
  LlamaParameters weights(served_config());
  Random random(8);
  for (real& value : weights.flat()) value = real(0.1 * random.normal());
  return weights;
}

struct ServedRequest {
  std::vector<TokenId> prompt;
  GenerationOptions options;
};

/// What a request got to know.
struct ServedText {
  std::vector<TokenId> tokens;
  std::string text;
  std::vector<real> logits;  // of all tokens, one after the other
  bool finished = false, ended = false;

  bool operator==(const ServedText&) const = default;
};

/// Where numbers differ first; how many there are, where they do not. To be checked in place of all of them, which are
/// many to print.
inline size_t first_difference(std::span<const real> a, std::span<const real> b) {
  return size_t(std::ranges::mismatch(a, b).in1 - a.begin());
}

inline EngineEvents kept_in(ServedText& to) {
  EngineEvents events;
  events.token = [&to](std::string_view text, TokenId token, View<const real, 1> logits) {
    to.text += text;
    to.tokens.push_back(token);
    to.logits.insert(to.logits.end(), logits.span().begin(), logits.span().end());
  };
  events.finished = [&to](std::string_view rest, const GenerationResult& result) {
    to.text += rest;
    to.finished = true, to.ended = result.ended;
    CHECK(result.tokens == to.tokens);
  };
  return events;
}

/// The request alone: every token is fed by itself, by one thread, to a cache in one piece.
inline ServedText alone(const LlamaWeights& weights, const Tokenizer& tokenizer, std::span<const TokenId> ends,
                        const ServedRequest& request, CacheType type, size_t room) {
  Decoder decoder(weights, room, 1, 1, type);
  GenerationOptions options = request.options;
  options.tokens = std::min(options.tokens, room - request.prompt.size());
  Continuation text(request.prompt, tokenizer, ends, options, weights.config.vocabulary_size);
  ServedText result;
  while (!text.done()) {
    std::span<real> logits;
    for (const TokenId token : text.tokens().subspan(decoder.length())) logits = decoder.feed({&token, 1});
    const size_t before = text.tokens().size();
    result.text += text.draw({logits, {logits.size()}});
    if (text.tokens().size() == before) continue;
    result.tokens.push_back(text.tokens().back());
    result.logits.insert(result.logits.end(), logits.begin(), logits.end());
  }
  result.text += text.finish();
  result.finished = true, result.ended = text.result().ended;
  return result;
}

}  // namespace cria::testing
