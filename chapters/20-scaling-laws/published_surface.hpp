// Chapter 20: surfaces that others have fitted, and what they say of a model.
#pragma once

#include "chapters/20-scaling-laws/loss_surface.hpp"

namespace cria {

/// Besiroglu et al. 2024 (arXiv:2404.10102), table 1: of the 240 points that they read from a figure of Hoffmann et al.
/// Losses in nats a token of MassiveText, with a vocabulary of 32,000.
inline constexpr LossSurface besiroglu_surface = {482.01, 2085.43, 1.8172, 0.3478, 0.3658};

/// Hoffmann et al. 2022 (arXiv:2203.15556), equation 10, as it was printed.
inline constexpr LossSurface hoffmann_surface = {406.4, 410.7, 1.69, 0.34, 0.28};

}  // namespace cria
