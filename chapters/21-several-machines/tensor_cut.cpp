// Chapter 21, columns and rows of a Llama's matrices.
#include "chapters/21-several-machines/tensor_cut.hpp"

#include <fmt/format.h>

#include <vector>

#include "chapters/21-several-machines/collectives.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

Range share(size_t count, size_t ranks, size_t rank) { return Shares{ranks, count, count}.of(rank); }

bool ends_with(const std::string& name, std::initializer_list<const char*> ends) {
  for (const char* end : ends)
    if (name.ends_with(std::string(end) + ".weight")) return true;
  return false;
}

// A norm, or a matrix that a rank has whole; a part of a matrix; and what is packed, as `real`.
class Cutter {
 public:
  Weight part(const Weight& whole, const TensorPlace& place) {
    if (whole.has_addition()) throw UserError("an adapter cannot be divided among ranks: merge it first");
    const Weight rows = whole.rows(place.rows);
    if (place.columns.size() == whole.shape(1)) return rows;
    if (!whole.is_packed()) return Weight(rows.numbers().columns(place.columns));
    const size_t M = rows.shape(0), K = place.columns.size();
    std::vector<real> row(whole.shape(1));
    auto& numbers = copies_->emplace_back(M * K);
    const View<real, 2> to(numbers.data(), {M, K});
    for (size_t m = 0; m < M; ++m) {
      const View<real, 1> all(row.data(), {row.size()});
      unpack_row(rows, m, all);
      noalias(to[m]) = all.part(place.columns);
    }
    return Weight(to);
  }
  std::shared_ptr<const void> memory(const std::shared_ptr<const void>& whole) const {
    return std::make_shared<std::pair<std::shared_ptr<const void>, decltype(copies_)>>(whole, copies_);
  }

 private:
  std::shared_ptr<std::vector<std::vector<real>>> copies_ = std::make_shared<std::vector<std::vector<real>>>();
};

}  // namespace

TensorCut tensor_cut(const LlamaConfig& c, size_t ranks, size_t rank) {
  if (ranks > c.kv_heads && (ranks % c.kv_heads != 0 || ranks > c.heads))
    throw UserError(
        fmt::format("{} ranks cannot share {} heads in {} groups: at most {}, or a multiple of them up to {}", ranks,
                    c.heads, c.kv_heads, c.kv_heads, c.heads));
  if (ranks > std::min(c.hidden_dim, c.vocabulary_size))
    throw UserError(
        fmt::format("{} ranks cannot share a width of {} and {} tokens", ranks, c.hidden_dim, c.vocabulary_size));
  TensorCut cut{.ranks = ranks, .rank = rank, .vocabulary_size = c.vocabulary_size};
  cut.hidden = share(c.hidden_dim, ranks, rank), cut.tokens = share(c.vocabulary_size, ranks, rank);
  const size_t per_group = c.heads / c.kv_heads;
  // solution: tensor_cut
  if (ranks <= c.kv_heads) {
    cut.groups = share(c.kv_heads, ranks, rank);
    cut.heads = cut.groups * per_group;
    cut.same_groups = {rank, rank + 1};
  } else {
    const size_t holders = ranks / c.kv_heads, group = rank / holders;
    const Range within = share(per_group, holders, rank % holders);
    cut.groups = {group, group + 1};
    cut.heads = {group * per_group + within.begin, group * per_group + within.end};
    cut.same_groups = Range{group, group + 1} * holders;
  }
  // end of solution
  return cut;
}

LlamaConfig part_config(const LlamaConfig& whole, const TensorCut& cut, bool all_tokens) {
  LlamaConfig part = whole;
  part.heads = cut.heads.size();
  part.kv_heads = cut.groups.size();
  part.hidden_dim = cut.hidden.size();
  if (!all_tokens) part.vocabulary_size = cut.tokens.size();
  return part;
}

TensorPlace tensor_place(const std::string& name, const Shape<2>& whole, const LlamaConfig& config,
                         const TensorCut& cut) {
  const Range rows = {0, whole[0]}, columns = {0, whole[1]}, me = {cut.rank, cut.rank + 1};
  const Range query = cut.heads * config.head_dim, key = cut.groups * config.head_dim;
  // solution: tensor_place
  if (ends_with(name, {"embed_tokens", "lm_head"})) return {cut.tokens, columns, me};
  if (ends_with(name, {"q_proj"})) return {query, columns, me};
  if (ends_with(name, {"k_proj", "v_proj"})) return {key, columns, cut.same_groups, true};
  if (ends_with(name, {"gate_proj", "up_proj"})) return {cut.hidden, columns, me};
  if (ends_with(name, {"o_proj"})) return {rows, query, me};
  if (ends_with(name, {"down_proj"})) return {rows, cut.hidden, me};
  return {rows, columns, {0, cut.ranks}};
  // end of solution
}

LlamaWeights tensor_part(const LlamaWeights& whole, const TensorCut& cut) {
  Cutter cutter;
  std::vector<Weight> matrices;
  std::vector<View<const real, 1>> norms;
  for_each_parameter(whole.config, whole.tensors, [&](const std::string& name, auto shape, const auto& tensor) {
    if constexpr (shape.size() == 1)
      norms.push_back(tensor);
    else
      matrices.push_back(cutter.part(tensor, tensor_place(name, shape, whole.config, cut)));
  });
  LlamaWeights part{part_config(whole.config, cut, true), {}, cutter.memory(whole.memory)};
  part.tensors.layers.resize(whole.config.layers);
  auto norm = norms.begin();
  auto matrix = matrices.begin();
  for_each_parameter(whole.config, part.tensors, [&](const std::string&, auto shape, auto& to) {
    if constexpr (shape.size() == 1)
      to = *norm++;
    else
      to = *matrix++;
  });
  if (whole.config.tied_embeddings) part.tensors.head = part.tensors.embedding;
  for (const auto& layer : whole.tensors.layers)
    if (layer.addition) throw UserError("an adapter cannot be divided among ranks: merge it first");
  return part;
}

}  // namespace cria
