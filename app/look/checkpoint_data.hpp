// What the page shows of the models that a run has kept: how each of them reads the text.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string_view>

#include "app/look/passage.hpp"
#include "chapters/12-open-weights/packed_model.hpp"

namespace cria::look {

/// {"step", "bits": [of each token but the first, what it costs behind those before it], "top": [of each position the 5
/// likeliest next tokens, [[id, p] …]]}
nlohmann::json reading_data(const Passage& passage, size_t step, std::set<TokenId>& shown);

/// {"list": [of each step reading_data], "left_out": kept models that are not in the list, which has at most 32}: those
/// that a run has kept, and its last one. Null where there are no two of them, or, which is said on standard error,
/// where they read the text as other tokens than `model` does. To `pieces` (token_data.hpp) it adds those of its
/// tokens.
nlohmann::json checkpoint_data(const std::filesystem::path& run, const ModelView& model, std::string_view text,
                               nlohmann::json& pieces);

}  // namespace cria::look
