// Chapter 20: what a model costs over its life, training and serving together (Sardana et al. 2024, arXiv:2401.00448).
// Training takes 6 N operations a token, and serving 2 N: backward takes twice what forward does.
//
// Left out: that serving is bound by reading weights rather than by operations, and by the cache.
#pragma once

#include "chapters/20-scaling-laws/loss_surface.hpp"

namespace cria {

/// Operations of training to this loss and then serving so many tokens; infinity where a model of that size never
/// reaches it.
double lifetime_operations(const LossSurface& surface, double parameters, double loss, double served);

/// The size and the tokens of training with the least of these operations. Throws UserError for a loss that no size
/// reaches.
Allocation best_for_lifetime(const LossSurface& surface, double loss, double served);

}  // namespace cria
