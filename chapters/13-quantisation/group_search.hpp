// The groups of a superblock: a scale of few bits for each, and the codes of its numbers.
//
// Each group is searched by itself first. Of the scales that come out the largest fixes the float16 that scales them
// all, as it gets the largest small number. The others are rounded to multiples of it, and the codes chosen anew. This
// rounding is coarse, so the multiples next to the nearest are tried as well.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chapters/13-quantisation/scale_search.hpp"

namespace cria {

/// What a superblock of 256 numbers holds, before it is packed.
struct Groups {
  std::uint16_t scale = 0, minimum = 0;  // float16, which multiply those of the groups
  int scales[16] = {}, minima[16] = {};  // for each group
  std::uint8_t codes[256] = {};
};

/// value = scale s level, with s from `lowest` to `highest`, in groups of `size` numbers.
Groups search_groups(std::span<const float> values, std::span<const float> weights, size_t size, const Levels& levels,
                     int lowest, int highest);

/// value = scale s level - minimum m, with s and m from 0 to `highest`.
Groups search_groups_with_minimum(std::span<const float> values, std::span<const float> weights, size_t size,
                                  const Levels& levels, int highest);

}  // namespace cria
