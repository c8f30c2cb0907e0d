#include "app/figure/subject.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/figure/svg.hpp"
#include "app/run/sample.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "lib/base/check.hpp"

namespace cria::figure {
namespace {

std::vector<TokenId> tokens_of(const Model& model, const std::string& text) {
  std::vector<TokenId> tokens = prompt_tokens(model, text);
  tokens.resize(std::min(tokens.size(), model.config.llama.context));
  return tokens;
}

}  // namespace

Subject::Subject(const std::filesystem::path& model_folder, std::string its_text,
                 std::vector<std::filesystem::path> its_logs)
    : folder(model_folder),
      logs(std::move(its_logs)),
      text(std::move(its_text)),
      model(open_model(folder)),
      tokens(tokens_of(model, text)),
      activations(config(), 1, tokens.size(), tokens.size(), Keep::all_layers),
      logits(tokens.size() * config().vocabulary_size) {
  const Shape<2> rows{1, tokens.size()};
  llama_forward(model.weights, {View<const std::int32_t, 2>(tokens.data(), rows)}, activations);
  llama_logits(model.weights, activations.normed,
               View<real, 2>(logits.data(), {tokens.size(), config().vocabulary_size}));
}

std::string Subject::label(TokenId token, size_t columns) const {
  if (token == model.config.begin_of_text) return "begin";
  if (std::ranges::count(model.config.end_of_text, token)) return "end";
  std::string shown;
  for (const char c : printable(tokenizer().piece(token))) shown += c == ' ' ? "·" : std::string(1, c);
  return shortened(shown, columns);
}

Subject::QueryKey Subject::before_rope(size_t layer) const {
  const LayerActivations& a = activations.layer(layer);
  QueryKey all{{a.query.span().begin(), a.query.span().end()}, {a.key.span().begin(), a.key.span().end()}};
  const size_t T = tokens.size(), Dh = config().head_dim;
  rope_backward(View<real, 3>(all.query.data(), {T, config().heads, Dh}), activations.angles, config().rope_pairing);
  rope_backward(View<real, 3>(all.key.data(), {T, config().kv_heads, Dh}), activations.angles, config().rope_pairing);
  return all;
}

std::vector<size_t> choose(size_t count, size_t room) {
  std::vector<size_t> chosen;
  const size_t many = std::min(count, room);
  for (size_t i = 0; i < many; ++i) chosen.push_back(many == 1 ? 0 : i * (count - 1) / (many - 1));
  return chosen;
}

}  // namespace cria::figure
