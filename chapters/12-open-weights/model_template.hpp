// The chat template of a model: its own, or one that the user chooses.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/12-open-weights/chat_template.hpp"
#include "chapters/12-open-weights/packed_model.hpp"

namespace cria {

/// What the model's files bring: tokenizer.chat_template of a GGUF file; chat_template.jinja of a folder, or
/// chat_template in its tokenizer_config.json. Nothing where there is none. Throws UserError for one that is no text.
std::optional<ChatTemplateSource> find_chat_template(const std::filesystem::path& path, const ModelView& model);

/// The template to speak to the model with: `chosen`, which names a format of chat_format.hpp or a file, or else its
/// own. Throws UserError where there is none, or it asks for what lib/jinja cannot do; the message says what serves
/// instead.
ChatTemplate open_chat_template(const std::filesystem::path& path, const ModelView& model,
                                const std::string& chosen = "");

/// A template's text with the tokens that the model's files say, or those that its tokenizer has.
ChatTemplateSource usual_template(std::string_view text, const ModelView& model);

/// Puts the template and its tokens into the folder's tokenizer_config.json, which is there.
void write_chat_template(const std::filesystem::path& folder, const ChatTemplateSource& source);

/// All tokens that end an answer: the model's end tokens, and those that are known to end turns by their names, as a
/// file's own end token is often only the one that ends a document.
std::vector<TokenId> answer_ends(const ModelView& model);

}  // namespace cria
