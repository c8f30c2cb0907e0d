// What the page's view of a training run shows: its log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "app/look/run_lines.hpp"

namespace cria::look {

struct LoggedRun {
  RunLines lines;
  RunLine last;                 // step
  std::optional<double> floor;  // in bits per byte
};

/// A log up to that step. Throws UserError where it is no log of a run.
LoggedRun read_run(const std::filesystem::path& log, size_t last_step = SIZE_MAX);

/// {"name", "floor": bits per byte or null, "steps": N, "lines": [{"step", "measured", "seconds", "loss", …} …]} of the
/// run's log.jsonl: at most about a thousand lines, each the mean of as many steps, and every measurement of held-out
/// text. Throws UserError where it is no log of a run.
nlohmann::json training_data(const std::filesystem::path& run);

}  // namespace cria::look
