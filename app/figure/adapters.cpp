// Chapter 15: how many numbers each kind of adapter learns, and the memory that its training takes beside activations.
#include <fmt/format.h>

#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "chapters/15-adapters/llama_adapter.hpp"
#include "chapters/15-adapters/lora.hpp"

namespace cria::figure {
namespace {

LlamaConfig llama_2_7b() {
  LlamaConfig c;
  c.vocabulary_size = 32000, c.dim = 4096, c.hidden_dim = 11008, c.layers = 32, c.heads = 32, c.kv_heads = 32;
  c.head_dim = 128, c.context = 4096, c.tied_embeddings = false;
  return c;
}

std::string count_in_words(double count) {
  return count >= 1e9 ? fmt::format("{:.2f} billion", count / 1e9) : fmt::format("{:.2f} million", count / 1e6);
}

}  // namespace

std::string draw_adapters(const Subject&) {
  const LlamaConfig config = llama_2_7b();
  const double all = double(parameter_count(config));
  const auto learned = [](const ParameterSet& set) { return double(set.flat().size()); };
  constexpr double f32 = 4, q4_0 = 18.0 / 32;  // bytes of a number
  struct Row {
    const char *name, *of;
    double learned, weights;  // how many numbers, and the bytes of those that stay
  };
  const double lora = learned(Lora(config, {}));
  const Row rows[] = {
      {"All weights", "", all, 0},
      {"LoRA", "rank 8, all linear layers", lora, f32 * all},
      {"LoRA", "rank 8, of queries and values", learned(Lora(config, {.targets = {"q_proj", "v_proj"}})), f32 * all},
      {"LLaMA-Adapter V2", "and norms, scales, biases", learned(LlamaAdapter(config, {.version = 2, .layers = 30})),
       f32 * all},
      {"LLaMA-Adapter V1", "10 vectors in 30 layers", learned(LlamaAdapter(config, {.layers = 30})), f32 * all},
      {"QLoRA", "rank 8 over Q4_0", lora, q4_0 * all}};
  Svg svg(
      700, 404, "What adapters of Llama 2 7B learn, and what training them takes",
      "Two rows of bars. LoRA learns a 337th of the numbers, LLaMA-Adapter V1 a 5479th. Memory falls to a quarter, as "
      "the weights stay, and with weights of 4 bits far below that.");
  svg.text(16, 48, "Memory is that of weights, gradient and AdamW's two means, in floats; activations come on top.",
           "dim");
  const Scale numbers{1e6, 1e10, Scale::decades};
  const double most = 4 * f32 * all;
  constexpr double left = 200, counts = 190, right = 480, memory = 140;
  svg.text(left, 84, "numbers that learn, tenfold from line to line", "small dim");
  svg.text(right, 84, "memory", "small dim");
  for (const double decade : {1e6, 1e7, 1e8, 1e9, 1e10}) {
    const double x = left + counts * numbers.place(decade);
    svg.line({x, 96}, {x, 384}, "grid");
  }
  double y = 104;
  for (const Row& row : rows) {
    svg.text(16, y + 16, row.name, "strong");
    svg.text(16, y + 32, row.of, "small dim");
    svg.rect({left, y + 4, counts * numbers.place(row.learned), 12}, "f0");
    svg.text(left, y + 32, count_in_words(row.learned), "small");
    const double learned_bytes = 4 * f32 * row.learned, stays = memory * row.weights / most;
    svg.rect({right, y + 4, stays, 12}, "f2");
    svg.rect({right + stays, y + 4, memory * learned_bytes / most, 12}, "f0");
    svg.text(right, y + 32, bytes_text(row.weights + learned_bytes), "small");
    y += 46;
  }
  svg.rect({right + 70, 75, 10, 10}, "f0");
  svg.text(right + 84, 84, "learns", "small");
  svg.rect({right + 130, 75, 10, 10}, "f2");
  svg.text(right + 144, 84, "stays", "small");
  return svg.finish();
}

}  // namespace cria::figure
