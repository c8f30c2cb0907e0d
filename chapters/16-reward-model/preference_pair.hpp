// Chapter 16: a request with two answers, of which somebody preferred one. Reward models learn from such pairs; so does
// DPO (chapter 19).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cria {

/// Tokens of a request, and of two answers with whatever ends them.
struct PreferencePair {
  std::vector<std::int32_t> prompt, chosen, rejected;
  double margin = 0;  // of a clear preference: by how much the two rewards should differ at least; a reward's unit
};

/// Throws UserError that begins with the pair's number for an empty request or answer, one that has more tokens with
/// its request than `most_tokens`, two answers that are the same, and a margin that is negative or not finite.
void require_valid(const PreferencePair& pair, std::size_t number, std::size_t most_tokens);

}  // namespace cria
