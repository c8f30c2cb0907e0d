// How Meta's files lay out a Llama: what its parts have of each matrix, and the width that params.json does not state.
#pragma once

#include <span>

#include "chapters/12-open-weights/tensor_names.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// Along which axis a tensor is cut of which one part has this shape. The name tells it, but for the embedding: Llama 1
/// and 2 cut it by columns, and Llama 3 by rows, so that a part has all C columns.
MetaCut meta_cut(const ParameterName& name, std::span<const size_t> part_shape, size_t dim);

/// Where part i of n belongs in the whole matrix (rows, columns): a range of its rows or of its columns.
View<real, 2> place_of_part(View<real, 2> whole, MetaCut cut, size_t part, size_t parts);

/// The inner width F of the feed-forward: two thirds of 4 C, times a factor, up to the next multiple; each of the first
/// two is rounded down to a whole number (Meta's model.py, FeedForward).
size_t meta_hidden_dim(size_t dim, double multiplier, size_t multiple_of);

}  // namespace cria
