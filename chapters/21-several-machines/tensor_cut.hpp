// Chapter 21: which part of a Llama each of several ranks has (Shoeybi et al. 2019, arXiv:1909.08053, section 3).
//
// Two matrices that follow each other are cut so that nothing has to be sent between them: the first by its rows, which
// give a part of its outputs, the second by the columns which read that part. Query, key and value are cut by whole
// heads, gate and up by F, embedding and head by the vocabulary. Norms are short, and everybody has them.
#pragma once

#include <string>

#include "chapters/08-llama/llama.hpp"

namespace cria {

/// Of one rank. Parts may differ in length by one head, or by one of anything else.
struct TensorCut {
  size_t ranks = 1, rank = 0;
  size_t vocabulary_size = 0;  // V
  Range groups = {};           // of G: its key and value heads
  Range heads = {};            // of H: those that read them
  Range hidden = {};           // of F
  Range tokens = {};           // of V
  /// The ranks that have the same groups: one, unless there are more ranks than G. Then each group is on as many ranks,
  /// and its query heads are shared among these.
  Range same_groups = {};
};

/// Throws UserError where so many ranks cannot share the model: more ranks than G that are no multiple of it, or more
/// than H, F or V.
TensorCut tensor_cut(const LlamaConfig& config, size_t ranks, size_t rank);

/// The configuration of the part. With `all_tokens` it keeps the whole vocabulary, for logits of all tokens.
LlamaConfig part_config(const LlamaConfig& whole, const TensorCut& cut, bool all_tokens);

/// Where a part's tensor lies in the whole one, of so many rows and columns, and which ranks have the same part.
struct TensorPlace {
  Range rows, columns;
  Range holders;
  bool sums_gradients = false;  // a holder's gradient is what comes through its own heads, not the whole one
};
TensorPlace tensor_place(const std::string& name, const Shape<2>& whole, const LlamaConfig& config,
                         const TensorCut& cut);

/// A rank's part of weights, in their memory, which has to stay. What is packed in blocks is not cut by columns but
/// widened to `real`, a copy. Throws UserError for weights with additions: adapters are to be merged first.
LlamaWeights tensor_part(const LlamaWeights& whole, const TensorCut& cut);

}  // namespace cria
