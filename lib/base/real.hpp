// The number type that everything computes in: float, or double in the `double` preset, where finite differences can
// check a gradient to 1e-8.
#pragma once

namespace cria {

#ifdef CRIA_DOUBLE
using real = double;
#else
using real = float;
#endif

}  // namespace cria
