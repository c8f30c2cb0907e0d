// The importance matrix: for each matrix of a model and each of its columns, the mean square of what is multiplied with
// that column. y = Σ w x, so an error in w makes an error in y that is larger where x is.
//
// The name is llama.cpp's (imatrix). It is a matrix's Hessian (gptq.hpp) without all that is off the diagonal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "chapters/13-quantisation/calibration.hpp"

namespace cria {

/// What was seen of the inputs of one matrix.
struct InputSquares {
  std::vector<float> sums;  // (K) Σ x² of each column
  double count = 0;         // rows that were added up
};

struct Importance {
  std::map<std::string, InputSquares, std::less<>> inputs;  // by the matrices' names in GGUF: "blk.0.attn_q.weight"
  std::vector<std::string> texts;                           // what it was measured on
  size_t windows = 0, positions = 0;                        // in so many windows of so many tokens

  /// The mean squares of a matrix's inputs; none where it is not known, or was never reached.
  std::vector<float> of(std::string_view name) const;
};

/// Of the layers' matrices and of the head, unless it is the embedding: an error there is read in each row alone, too,
/// where all columns are alike. The same bits at any number of threads. Throws UserError for weights that make
/// something of it that is not finite.
Importance measure_importance(const LlamaWeights& weights, const std::vector<BatchMemory>& windows, ThreadPool& pool);

}  // namespace cria
