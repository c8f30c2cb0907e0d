// Which type each matrix of a model gets. Some lose more than others when they are rounded, and a file gives them more
// bits; the names and rules are those of llama.cpp (llama_tensor_get_type), as people ask for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chapters/11-pretraining/model_folder.hpp"

namespace cria {

/// The layers whose value and down projections get more bits: the first (four for values, an eighth for down); or the
/// first and last eighth and every third between.
enum class Favoured { none, first, throughout };

struct Mixture {
  std::string_view name;    // that of a type, which all matrices get; or "Q4_K_M", …
  std::uint32_t file_type;  // llama.cpp's number
  ElementType type;         // of most matrices
  ElementType head = type;  // of the head, which is the embedding where they are tied
  Favoured favoured = Favoured::none;
  ElementType better = type;  // what the favoured get
};

/// In capitals or not; nothing for another name.
std::optional<Mixture> find_mixture(std::string_view name);

/// All names: "Q8_0, Q4_0, …".
std::string mixture_names();

/// The type of each parameter. A type whose blocks do not divide the rows gives way to one of as many bits or more with
/// blocks of 32, and that to F16. Norms stay F32.
StoredTypes mixed_types(const LlamaParameters& weights, const Mixture& mixture);

}  // namespace cria
