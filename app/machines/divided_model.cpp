#include "app/machines/divided_model.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <vector>

#include "app/machines/machines.hpp"
#include "chapters/21-several-machines/pipeline.hpp"
#include "chapters/21-several-machines/tensor_shards.hpp"
#include "lib/base/check.hpp"

namespace cria {

DividedModel::DividedModel(const std::string& parallel) : parallel_(parallel) {
  require_way(parallel, {"tensor", "pipeline"});
  if (parallel.empty() && launched().ranks > 1)
    throw UserError("on several ranks it has to be said what they share: --parallel tensor, or --parallel pipeline");
  ranks_ = join_ranks();
}

DividedModel::~DividedModel() = default;

void DividedModel::prepare(const std::function<void()>& work) {
  if (!ranks_) return work();
  std::string wrong;
  try {
    work();
  } catch (const std::exception& error) {
    wrong = said_by(error);
  }
  const std::vector<std::string> all = gather_texts(*ranks_, wrong, 511);
  for (size_t rank = 0; rank < all.size(); ++rank)
    if (!all[rank].empty()) throw UserError(rank == 0 ? all[rank] : fmt::format("rank {}: {}", rank, all[rank]));
}

void DividedModel::require_alike(const std::vector<std::pair<std::string, std::string>>& named) {
  if (!ranks_) return;
  if (const std::string different = different_kernels(*ranks_); !different.empty()) throw UserError(different);
  std::string different;
  for (const auto& [name, own] : named) {
    const std::vector<std::string> all = gather_texts(*ranks_, own, 32);
    for (size_t rank = 1; rank < all.size() && different.empty(); ++rank)
      if (all[rank] != all[0]) different = fmt::format("rank {} has {} than rank 0", rank, name);
  }
  if (!different.empty()) throw UserError(different);
}

void DividedModel::share(std::string& text) {
  if (!ranks_) return;
  std::uint64_t size = text.size();
  broadcast(*ranks_, std::span(&size, 1));
  text.resize(size);
  broadcast(*ranks_, std::as_writable_bytes(std::span(text)));
}

KeepPart DividedModel::kept() const {
  if (!ranks_) return {};
  const size_t ranks = ranks_->size(), rank = ranks_->rank();
  if (parallel_ == "tensor")
    return [=](const LlamaConfig& config, const std::string& name, const Shape<2>& shape) -> KeptPart {
      const TensorPlace place = tensor_place(name, shape, config, tensor_cut(config, ranks, rank));
      return {place.rows, place.columns};
    };
  return [this, ranks, rank](const LlamaConfig& config, const std::string& name, const Shape<2>& shape) -> KeptPart {
    const Range layers = PipelineShards(*ranks_, config).layers();
    const bool is_first = rank == 0, is_last = rank == ranks - 1;
    constexpr std::string_view layer = "model.layers.";
    bool keeps = name == "lm_head.weight" ? is_last : is_first || (is_last && config.tied_embeddings);
    if (name.starts_with(layer)) keeps = layers.contains(std::strtoul(name.c_str() + layer.size(), nullptr, 10));
    return {{0, keeps ? shape[0] : 0}, {0, shape[1]}};
  };
}

LlamaWeights DividedModel::part_of(const LlamaWeights& kept) {
  if (!ranks_) return kept;
  LlamaWeights part = kept;
  if (parallel_ == "tensor") {
    const TensorCut cut = tensor_cut(kept.config, ranks_->size(), ranks_->rank());
    part.config = part_config(kept.config, cut, true);
    shards_ = std::make_unique<TensorShards>(*ranks_, cut);
  } else {
    auto shards = std::make_unique<PipelineShards>(*ranks_, kept.config);
    part = pipeline_part(kept, *shards);
    shards_ = std::move(shards);
  }
  part.shards = shards_.get();
  return part;
}

// The others wait for this rank's part, so all have to end.
void DividedModel::run(const std::function<void()>& work) {
  if (!ranks_) return work();
  try {
    work();
  } catch (const std::exception& error) {
    end_with(error, *ranks_);
  }
}

}  // namespace cria
