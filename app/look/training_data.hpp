// What the page's view of a training run shows: its log.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace cria::look {

/// {"name", "floor": bits per byte or null, "steps": N, "lines": [{"step", "seconds", "loss", "bits_per_byte",
/// "val_loss", "lr", "grad_norm"} …]} of the run's log.jsonl: at most about a thousand lines, each the mean of as many
/// steps, and every measurement of held-out text. Throws UserError where it is no log of a run.
nlohmann::json training_data(const std::filesystem::path& run);

}  // namespace cria::look
