// Chapter 21: which rank holds which part of which matrix, tensor parallel and in a pipeline.
#include <fmt/format.h>

#include "app/figure/figures.hpp"
#include "app/figure/svg.hpp"
#include "chapters/21-several-machines/tensor_cut.hpp"

namespace cria::figure {
namespace {

constexpr size_t two_ranks = 2;
constexpr double scale = 6;  // of a number's side

LlamaConfig divided_example() {
  LlamaConfig c;
  c.vocabulary_size = 20, c.dim = 12, c.hidden_dim = 16, c.layers = 4, c.heads = 6, c.kv_heads = 3, c.head_dim = 2;
  return c;
}

// A matrix with the parts of both ranks; what both have is grey.
void draw_matrix(Svg& svg, Point at, const char* name, const char* tensor, const Shape<2>& shape) {
  const LlamaConfig c = divided_example();
  for (size_t rank = 0; rank < two_ranks; ++rank) {
    const TensorPlace place = tensor_place(tensor, shape, c, tensor_cut(c, two_ranks, rank));
    svg.rect({at.x + scale * double(place.columns.begin), at.y + scale * double(place.rows.begin),
              scale * double(place.columns.size()), scale * double(place.rows.size())},
             rank == 0 ? "f0" : "f1", 0.75, 0);
  }
  svg.text(at.x + scale * double(shape[1]) / 2, at.y - 8, name, "small m");
}

}  // namespace

std::string draw_divided(const Subject&) {
  const LlamaConfig c = divided_example();
  const size_t queries = c.heads * c.head_dim, keys = c.kv_heads * c.head_dim;
  Svg svg(
      700, 400, "Which rank holds which part of which matrix",
      "Tensor parallel, query, key, value, gate and up are cut by rows, output and down by columns, the embedding by "
      "tokens. In a pipeline each rank has whole layers.");
  svg.text(16, 44, "Tensor parallel, two ranks, three groups of heads: rank 0 has one of them, rank 1 two.", "dim");
  double y = 84;
  const auto q = [](const char* part) { return std::string("model.layers.0.") + part + ".weight"; };
  draw_matrix(svg, {24, y}, "embedding", "model.embed_tokens.weight", {c.vocabulary_size, c.dim});
  draw_matrix(svg, {124, y}, "query", q("self_attn.q_proj").c_str(), {queries, c.dim});
  draw_matrix(svg, {212, y}, "key", q("self_attn.k_proj").c_str(), {keys, c.dim});
  draw_matrix(svg, {212, y + 66}, "value", q("self_attn.v_proj").c_str(), {keys, c.dim});
  draw_matrix(svg, {300, y}, "output", q("self_attn.o_proj").c_str(), {c.dim, queries});
  draw_matrix(svg, {400, y}, "gate", q("mlp.gate_proj").c_str(), {c.hidden_dim, c.dim});
  draw_matrix(svg, {488, y}, "up", q("mlp.up_proj").c_str(), {c.hidden_dim, c.dim});
  draw_matrix(svg, {576, y}, "down", q("mlp.down_proj").c_str(), {c.dim, c.hidden_dim});
  svg.text(336, y + 92, "Σ", "strong m");
  svg.text(624, y + 92, "Σ", "strong m");
  svg.text(16, 248, "A pipeline: whole layers, and the stream passes from one rank to the next.", "dim");
  y = 272;
  const char* boxes[] = {"embedding", "layer 0", "layer 1", "layer 2", "layer 3", "head"};
  for (size_t i = 0; i < 6; ++i) {
    const double x = 24 + 110 * double(i);
    svg.rect({x, y, 92, 36}, i < 3 ? "f0" : "f1", 0.75, 3);
    svg.text(x + 46, y + 23, boxes[i], "small m");
  }
  svg.text(24, 346, "rank 0", "small strong");
  svg.rect({72, 335, 14, 14}, "f0", 0.75, 2);
  svg.text(110, 346, "rank 1", "small strong");
  svg.rect({158, 335, 14, 14}, "f1", 0.75, 2);
  svg.text(200, 346, "Σ: here the ranks add what they have", "small");
  return svg.finish();
}

}  // namespace cria::figure
