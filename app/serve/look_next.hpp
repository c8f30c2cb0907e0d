// What comes after some tokens, for the page's sampling: one step of the engine as for any other text, so that what is
// already in its cache is not computed again.
#pragma once

#include "app/serve/body.hpp"
#include "app/serve/pending_texts.hpp"
#include "app/serve/served_model.hpp"

namespace cria::serve {

/// Of a body {"tokens": [id …]}. Throws ApiError.
TextJob next_job(const Body& body, const ServedModel& model);

/// {"next": as look::next_data, "pieces"}; its logits are logarithms of probabilities. Throws ApiError, and
/// http::ClientLeft.
nlohmann::json next_tokens(TextJob job, const ServedModel& model, EngineThread& engine, http::Exchange& exchange);

}  // namespace cria::serve
