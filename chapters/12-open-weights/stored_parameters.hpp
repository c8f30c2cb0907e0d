// From the tensors of a file to a model's parameters: names, and the rows of query and key in RoPE's other order.
#pragma once

#include <functional>
#include <span>

#include "chapters/08-llama/parameters.hpp"
#include "chapters/12-open-weights/tensor_names.hpp"

namespace cria {

/// Reads a query weight (H*Dh, C) or key weight (G*Dh, C) as Meta, GGUF and llama2.c store it: `read` copies it with
/// pairs (2i, 2i + 1) into memory of its size, and its rows are turned to (i, i + Dh/2).
void read_interleaved(View<real, 2> weight, const LlamaConfig& config,
                      const std::function<void(std::span<real> stored)>& read);

/// Copies a whole tensor as it lies in a file: a matrix (rows, columns), or a norm's weights.
using ReadTensor =
    std::function<void(const ParameterName& name, std::span<const size_t> shape, std::span<real> values)>;

/// Fills every parameter from a file of Meta's or a GGUF file.
void read_parameters(const LlamaParameters& weights, const ReadTensor& read);

}  // namespace cria
