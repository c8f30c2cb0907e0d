// Chapter 12, Meta's layout.
#include "chapters/12-open-weights/meta_layout.hpp"

#include <algorithm>

namespace cria {

MetaCut meta_cut(const ParameterName& name, std::span<const size_t> part_shape, size_t dim) {
  // solution: meta_cut
  const bool is_embedding = name.meta == "tok_embeddings.weight";
  return is_embedding && part_shape[1] == dim ? MetaCut::rows : name.cut;
  // end of solution
}

View<real, 2> place_of_part(View<real, 2> whole, MetaCut cut, size_t part, size_t parts) {
  // solution: place_of_part
  const Range these{part, part + 1};
  if (cut == MetaCut::rows) return whole.rows(these * (whole.shape(0) / parts));
  if (cut == MetaCut::columns) return whole.columns(these * (whole.shape(1) / parts));
  return whole;
  // end of solution
}

size_t meta_hidden_dim(size_t dim, double multiplier, size_t multiple_of) {
  multiplier = std::clamp(multiplier, 0.0, 1e6);  // a file's: no product of it overflows
  // solution: meta_hidden_dim
  const size_t two_thirds = 2 * (4 * dim) / 3;
  const auto wanted = static_cast<size_t>(multiplier * double(two_thirds));
  return (wanted + multiple_of - 1) / multiple_of * multiple_of;
  // end of solution
}

}  // namespace cria
