#include "chapters/13-quantisation/gptq_model.hpp"

#include "chapters/12-open-weights/stored_parameters.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// H = Σ xᵀx of a matrix's inputs. All sums of a column are formed by one thread, window after window.
class Hessian {
 public:
  explicit Hessian(size_t columns) : sums_(zeros<real, 2>({columns, columns})) {}

  void add(View<const real, 2> x /*(N, K)*/, const Team& team) {
    const Range part = team.share(x.shape(1), 16);
    if (!part.empty()) noalias(view(sums_).columns(part)) += matmul(transposed(x), x.columns(part));
  }
  View<const real, 2> sums() const { return view(sums_); }

 private:
  Array<real, 2> sums_;
};

}  // namespace

std::string replace_by_blocks(const LlamaConfig& config, const std::string& name, View<real, 2> matrix,
                              ElementType type,
                              const std::function<void(View<const real, 2> stored, std::string& out)>& quantise) {
  const bool has_pairs = parameter_name(name).has_pairs;
  std::string blocks;
  if (has_pairs) {
    Array<real, 2> stored = Array<real, 2>::from_shape({matrix.shape(0), matrix.shape(1)});
    rope_permute_rows(matrix, config.head_dim, RopePairing::half_split, view(stored));
    quantise(view(stored), blocks);
  } else {
    quantise(matrix, blocks);
  }
  const auto read = [&](std::span<real> to) {
    convert_elements(type, reinterpret_cast<const std::byte*>(blocks.data()), to);
  };
  has_pairs ? read_interleaved(matrix, config, read) : read(matrix.span());
  return blocks;
}

QuantisedMatrices gptq_model(const LlamaParameters& weights, const StoredTypes& types,
                             const std::vector<BatchMemory>& windows, const GptqOptions& options, ThreadPool& pool,
                             const std::function<void(size_t layers)>& progress) {
  const LlamaConfig& config = weights.config();
  Calibration text(weights, windows, pool);
  QuantisedMatrices done;
  const auto quantise = [&](const std::string& name, View<real, 2> matrix, const ColumnPlan& plan) {
    const ElementType type = types.at(name);
    if (!has_gptq(type)) return;
    done[parameter_name(name).gguf] = replace_by_blocks(
        config, name, matrix, type,
        [&](View<const real, 2> stored, std::string& out) { gptq_rows(pool, type, stored, plan, out); });
  };
  for (size_t i = 0; i < config.layers; ++i) {
    std::vector<Hessian> hessians;
    for (const LinearInput& input : linear_inputs()) hessians.emplace_back(text.columns(input));
    text.look(i, [&](const LayerActivations& a, const Team& team) {
      for (size_t k = 0; k < hessians.size(); ++k) hessians[k].add(a.*linear_inputs()[k].rows, team);
    });
    for (size_t k = 0; k < hessians.size(); ++k) {
      const ColumnPlan plan = plan_columns(hessians[k].sums(), options, pool);
      for (const auto& reader : linear_inputs()[k].readers)
        quantise(matrix_name(i, reader.part), weights.tensors().layers[i].*reader.matrix, plan);
    }
    text.advance(i);
    progress(i + 1);
  }
  if (config.tied_embeddings) return done;
  Hessian hessian(config.dim);
  text.look_at_head([&](View<const real, 2> normed, const Team& team) { hessian.add(normed, team); });
  quantise("lm_head.weight", weights.tensors().head, plan_columns(hessian.sums(), options, pool));
  return done;
}

}  // namespace cria
