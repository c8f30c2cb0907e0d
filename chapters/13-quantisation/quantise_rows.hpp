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

/// Appends the blocks of whole rows of `row` finite numbers. `importance` has a number for each column, how much an
/// error there matters (its mean squared input, as in llama.cpp's importance matrix); empty, a number weighs by its
/// size: root mean square of its 32 neighbours + |x|. The same bits at any number of threads. Throws ContractError for
/// a type that it does not know, shapes that do not fit, and numbers that are not finite.
void quantise_rows(ThreadPool& pool, ElementType type, size_t row, std::span<const real> values,
                   std::span<const float> importance, std::string& out);

}  // namespace cria
