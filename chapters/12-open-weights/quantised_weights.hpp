// The weights of a Hugging Face folder whose linears are stored as codes and scales. They are expanded when they are
// read: each is scale (code - zero point), not rounded to the scale's own type, as some programs do.
//
//   GPTQ                 qweight (K·bits/32, M), codes down the inputs; qzeros (G, M·bits/32); scales (G, M); g_idx (K)
//   AWQ                  qweight (K, M/8); qzeros (G, M/8), both in the order of awq_place; scales (G, M)
//   compressed-tensors   weight_packed (M, K/8), codes along the inputs; weight_zero_point (M/8, G), codes down the
//                        outputs; weight_scale (M, G); weight_shape (2) = (M, K); weight_g_idx (K)
//
// for M outputs and K inputs in G groups. The embedding and norms are numbers, and so is any linear that is stored
// under its own name.
#pragma once

#include "chapters/11-pretraining/model_folder.hpp"
#include "chapters/12-open-weights/quantisation_config.hpp"
#include "lib/base/xtensor.hpp"

namespace cria {

class QuantisedWeights : public StoredWeights {
 public:
  QuantisedWeights(const std::filesystem::path& folder, Quantisation quantisation);

 protected:
  std::vector<std::string> parts(const std::string& name, std::span<const size_t> shape) const override;
  void read(const std::string& name, std::span<const size_t> shape, std::span<real> values) const override;

 private:
  bool is_quantised(const std::string& name, std::span<const size_t> shape) const;
  void require_no_bias(const std::string& bias, size_t outputs) const;
  Array<real, 2> scales(const std::string& linear, size_t outputs, size_t groups) const;
  std::vector<size_t> groups_of_inputs(const std::string& linear, size_t inputs) const;
  template <class CodeAt>
  Array<real, 2> zero_points(const std::string& linear, const Shape<2>& shape, CodeAt&& code_at) const;
  template <class Use>
  void with_codes(const std::string& linear, Use&& use) const;

  Quantisation quantisation_;
};

/// A folder with config.json, its weights quantised or not. Throws UserError with one line when it is not whole.
Model load_folder(const std::filesystem::path& folder);

}  // namespace cria
