// What the next pass computes: a pure function from what runs and waits to a plan. It computes nothing and changes
// nothing, so each of its decisions can be tested and drawn.
//
// First come, first served, in three ways: the earliest text is served first, the latest is thrown out first, and
// nobody who waits overtakes another. So the earliest text always goes on, and every text ends.
#pragma once

#include <span>
#include <vector>

#include "lib/base/view.hpp"

namespace cria {

/// A text, as the schedule sees it.
struct TextState {
  size_t known = 0;     // tokens: of the prompt, and drawn
  size_t computed = 0;  // positions in the cache
  size_t blocks = 0;    // that it holds
  bool copies = false;  // whether its next position needs a copy of a block that it holds
  size_t revived =
      0;  // of one that waits: blocks among these that nobody else uses, and are unused again if it waits on
};

struct ServingLimits {
  size_t block_size;
  size_t places;  // texts that run
  size_t chunk;   // prompt tokens of a pass
};

struct Plan {
  bool preempt = false;                // the latest running text has to go; then ask again. Nothing else is planned
  size_t admitted = 0;                 // of those that wait, the first ones
  std::vector<size_t> positions = {};  // that each running text computes, and then each admitted one; may be 0
};

/// A text with one token that is not computed draws its next: it gets its position in every pass. One with more reads
/// its prompt (or, after it was thrown out, its whole text) in chunks, of which there are `chunk` tokens in a pass
/// altogether, so that those who draw never wait for a long prompt (Agrawal et al. 2023, "Sarathi", arXiv:2308.16369).
///
/// Both lists are in the order of arrival. A text is admitted if there are blocks for all that it knows and one token
/// more, beside what the running ones still need to read theirs. `unused` blocks do not include the revived ones.
/// Throws ContractError if the only running text needs more blocks than there are.
Plan next_pass(std::span<const TextState> running, std::span<const TextState> waiting, size_t unused,
               const ServingLimits& limits);

}  // namespace cria
