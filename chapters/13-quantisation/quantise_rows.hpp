// Rows of numbers as blocks of any type, on several threads.
#pragma once

#include <span>
#include <string>

#include "lib/base/real.hpp"
#include "lib/base/thread_pool.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {

/// Whether there is a search for blocks of this type.
bool can_quantise(ElementType type);

/// Appends the blocks of whole rows of `row` finite numbers. An error weighs by the size of its number among its 32
/// neighbours (error_weights.hpp), and by `importance`, which has a number for each column or is empty. The same bits
/// at any number of threads. Throws ContractError for a type that it does not know, shapes that do not fit, and numbers
/// that are not finite.
void quantise_rows(ThreadPool& pool, ElementType type, size_t row, std::span<const real> values,
                   std::span<const float> importance, std::string& out);

}  // namespace cria
