// The picture of `demo align`: requests obeyed over the divergence from the model before, beside the frontier.
#pragma once

#include <span>
#include <string>

namespace cria {

/// A model, as it was measured.
struct AlignRow {
  std::string name;
  double reward;                        // the share of requests that it obeys
  double divergence, divergence_error;  // from the model before, in nats; an error of 0: none was measured
  double bits_per_byte, floor;          // of held-out stories on request
  double minutes = 0;                   // of training
};

/// The standard error of a share of so many.
double share_error(double share, std::size_t count);

/// As SVG. The first row is the model that the others began with.
std::string draw_alignment(std::span<const AlignRow> rows, std::size_t judged);

}  // namespace cria
