// cria scaling --llamas: what a published surface of losses says of the Llamas.
#pragma once

#include <string>
#include <vector>

#include "chapters/20-scaling-laws/scaling_run.hpp"

namespace cria {

struct PublishedLlama {
  std::string name;
  double parameters = 0, tokens = 0;
};
/// Those of the presets that were trained from nothing on a number of tokens that is known: of Llama 3 the 3.1 only.
std::vector<PublishedLlama> published_llamas();

/// The tokens served from which on this model costs less, with its training, than one that needs the fewest operations
/// to train to the same loss.
double break_even(const PublishedLlama& model);

/// Prints a line for each.
void print_llamas();

}  // namespace cria
