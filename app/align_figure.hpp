// The picture of `demo align`: requests obeyed over the divergence from the SFT model, beside the frontier.
#pragma once

#include <span>
#include <string>

namespace cria {

/// A model, as it was measured.
struct AlignRow {
  std::string name;
  double reward;                        // the share of requests that it obeys
  double divergence, divergence_error;  // from the SFT model, in nats; an error of 0: none was measured
  double bits_per_byte, floor;          // of held-out stories on request
  double minutes = 0;                   // of training
};

/// The standard error of a share of so many.
double share_error(double share, std::size_t count);

/// As SVG. The second row is the SFT model.
std::string draw_alignment(std::span<const AlignRow> rows, std::size_t judged);

}  // namespace cria
