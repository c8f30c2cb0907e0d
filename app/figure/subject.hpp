// Subject: the model and the text that figures are drawn of, with every tensor of a forward pass over that text.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "chapters/08-llama/llama.hpp"
#include "chapters/11-pretraining/model_folder.hpp"

namespace cria::figure {

/// This model or text has nothing to show in a figure. Asked for by name that is an error of the user, among all
/// figures it is left out.
struct NothingToShow : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Subject {
 public:
  /// Throws UserError when the folder holds no model, or the text has no tokens.
  Subject(const std::filesystem::path& folder, std::string text, std::vector<std::filesystem::path> logs);

  const LlamaConfig& config() const { return model.config.llama; }
  const Tokenizer& tokenizer() const { return *model.tokenizer; }
  /// A token as a label of at most so many columns: "begin" for the one that begins a text, a space as ·.
  std::string label(TokenId token, size_t columns = 40) const;
  /// The first `positions` of the text's, or all.
  size_t first(size_t positions) const { return std::min(positions, tokens.size()); }

  /// Query and key of one head before RoPE has turned them: (T, H, Dh) and (T, G, Dh).
  struct QueryKey {
    std::vector<real> query, key;
  };
  QueryKey before_rope(size_t layer) const;

  std::filesystem::path folder;
  std::vector<std::filesystem::path> logs;  // of training runs; at least one, which may not be there
  std::string text;
  Model model;
  std::vector<TokenId> tokens;  // (T) of the text, at most as many as the model's context
  LlamaActivations activations;
  std::vector<real> logits;  // (T, V)
};

/// Which of `count` things to draw where there is room for `room`: all, or some from first to last.
std::vector<size_t> choose(size_t count, size_t room);

}  // namespace cria::figure
