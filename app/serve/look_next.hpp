// What comes after some tokens, for the page's sampling: one step of the engine as for any other text, so that what is
// already in its cache is not computed again.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "app/serve/pending_texts.hpp"
#include "app/serve/served_model.hpp"

namespace cria::serve {

/// Of a body {"tokens": [id …]}. Throws ApiError.
TextJob next_job(const nlohmann::json& body, const ServedModel& model);

/// {"next": as look::next_data, "pieces"}; its logits are logarithms of probabilities. Nothing where the client has
/// left. Throws ApiError.
std::optional<nlohmann::json> next_tokens(TextJob job, const ServedModel& model, EngineThread& engine,
                                          http::Exchange& exchange);

}  // namespace cria::serve
