// cria look
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>

#include "chapters/12-open-weights/packed_model.hpp"

namespace cria {

struct LookOptions {
  std::string model;                  // a folder; empty: the one in data/
  std::optional<std::string> prompt;  // none: the beginning of a built-in story
  std::string prompt_file;            // instead of it
  std::string second_tokenizer;       // a file or folder; empty: none
  std::string run;                    // a training run's folder, or its log; empty: none
  std::string lessons;  // an address that chapters are linked below; empty: those of this program's sources
  std::string out;      // the folder for the page
};

/// Writes a page on which one can look inside a model while it reads a text: files that a browser opens from the disk.
int run_look(const LookOptions& options);

namespace look {

/// Of a text, all that the page shows of the model: {"text": bytes in hexadecimal, "tokenizers", "inside", "next",
/// "lens", "headsOff", "story", "pieces"}. Throws UserError for a text with more tokens than a page can hold, in one
/// line that says how many.
nlohmann::json page_data(const ModelView& model, const std::string& name, const std::string& text);

/// What a server answers when the page asks for what comes next: {"next", "pieces"} behind any tokens, of which the
/// model sees the last that its context has room for. Throws UserError for none, and for tokens that the model does not
/// have.
nlohmann::json next_answer(const ModelView& model, std::span<const TokenId> tokens);

}  // namespace look
}  // namespace cria
