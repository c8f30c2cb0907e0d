// How much an error in each number of a block matters, for the search of a scale.
#pragma once

#include <span>

namespace cria {

/// weights = root mean square of the values + |value|, as large numbers tend to matter more; times how much their
/// columns do, where that is known: their mean squared inputs, as in llama.cpp's importance matrix. An importance of
/// nothing but zeros counts as unknown. `importance` is as long as the values, or empty.
void weigh_errors(std::span<const float> values, std::span<const float> importance, std::span<float> weights);

}  // namespace cria
