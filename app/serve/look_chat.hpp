// What the page shows beside a conversation: the tokens that the model reads, the blocks of the cache that hold them,
// and what the engine did in each of its last passes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "app/serve/body.hpp"
#include "app/serve/engine_thread.hpp"
#include "app/serve/served_model.hpp"

namespace cria::serve {

/// The tokens of a body {"messages"}. Throws ApiError.
std::vector<TokenId> read_look_chat(const Body& body, const ServedModel& model);

/// {"tokens": [id …] up to where the answer begins, "pieces", "special": [id
/// …], "blockSize", "blocks": [{"id", "users"} or null …]}, one for each block that the tokens fill: where the cache
/// has it, and how many texts use it now. Throws ApiError.
nlohmann::json look_chat(const std::vector<TokenId>& tokens, const ServedModel& model, EngineThread& engine);

/// {"steps": [{"number", "seconds", "parts": [[text, positions, drawn] …], "admitted", "preempted", "finished",
/// "fromPrefix", "waiting", "blocksUsed", "blocksShared"} …], "last": the number of the latest pass, "blocks",
/// "blockSize"}. A query "after=N" leaves out those up to N. Throws ApiError.
nlohmann::json look_steps(std::string_view query, EngineThread& engine);

}  // namespace cria::serve
