#include "app/train/scaling_llamas.hpp"

#include <fmt/format.h>

#include "app/quantities.hpp"
#include "chapters/08-llama/parameters.hpp"
#include "chapters/11-pretraining/presets.hpp"
#include "chapters/11-pretraining/recipe.hpp"
#include "chapters/12-open-weights/published_training.hpp"
#include "chapters/20-scaling-laws/lifetime.hpp"
#include "chapters/20-scaling-laws/published_surface.hpp"

namespace cria {

std::vector<PublishedLlama> published_llamas() {
  std::vector<PublishedLlama> models;
  for (const char* name : {"llama-7b", "llama-13b", "llama-33b", "llama-65b", "llama-2-7b", "llama-2-13b",
                           "llama-2-70b", "llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b"})
    models.push_back(
        {name, double(parameter_count(read_recipe(recipe_file(name)).model)), published_training(name)->tokens});
  return models;
}

double break_even(const PublishedLlama& model) {
  const double loss = besiroglu_surface.at(model.parameters, model.tokens);
  const Allocation cheapest = best_for_lifetime(besiroglu_surface, loss, 0);
  // 6 N D + 2 N S is the same for both at
  return 3 * (model.parameters * model.tokens - cheapest.parameters * cheapest.tokens) /
         (cheapest.parameters - model.parameters);
}

void print_llamas() {
  fmt::print("{:15} {:>8} {:>8} {:>5} {:>7} {:>7} | {:>8} {:>8} {:>5} {:>7} | {:>8} {:>8} {:>8}\n", "", "N", "D", "D/N",
             "6ND", "loss", "best N", "best D", "D/N", "loss", "N same", "D same", "served");
  for (const PublishedLlama& m : published_llamas()) {
    const LossSurface& surface = besiroglu_surface;
    const double operations = 6 * m.parameters * m.tokens, loss = surface.at(m.parameters, m.tokens);
    const Allocation best = best_allocation(surface, operations), same = best_for_lifetime(surface, loss, 0);
    const double served = break_even(m);
    fmt::print("{:15} {:>8} {:>8} {:>5.0f} {:>7.1e} {:>7.3f} | {:>8} {:>8} {:>5.0f} {:>7.3f} | {:>8} {:>8} {:>8}\n",
               m.name, count_text(m.parameters), count_text(m.tokens), m.tokens / m.parameters, operations, loss,
               count_text(best.parameters), count_text(best.tokens), best.tokens / best.parameters,
               surface.at(best.parameters, best.tokens), count_text(same.parameters), count_text(same.tokens),
               served > 0 ? count_text(served) : "never");
  }
  fmt::print(
      "\nBy the surface of Besiroglu et al. 2024, which is of another text and other models: only differences count.\n"
      "best: for the same operations. same: the cheapest to train to the model's loss. served: the tokens from which\n"
      "on the model, with its training, has taken fewer operations than that one.\n");
}

}  // namespace cria
