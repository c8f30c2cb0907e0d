// Chapter 12, stored parameters.
#include "chapters/12-open-weights/stored_parameters.hpp"

#include <vector>

namespace cria {

void read_interleaved(View<real, 2> weight, const LlamaConfig& config,
                      const std::function<void(std::span<real> stored)>& read) {
  // solution: read_interleaved
  std::vector<real> stored(weight.size());
  read(stored);
  rope_permute_rows(View<const real, 2>(stored, weight.shape()), config.head_dim, RopePairing::interleaved, weight);
  // end of solution
}

void read_parameters(const LlamaParameters& weights, const ReadTensor& read) {
  weights.for_each([&]<size_t N>(const std::string& name, View<real, N> view) {
    const ParameterName known = parameter_name(name);
    const auto read_values = [&](std::span<real> values) { read(known, view.shape(), values); };
    if constexpr (N == 2)
      if (known.has_pairs) return read_interleaved(view, weights.config(), read_values);
    read_values(view.span());
  });
}

}  // namespace cria
