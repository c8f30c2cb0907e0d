// Chapter 14: what a model learns of a question and its answer. Forward, loss and gradient are those of chapter 10; a
// prompt's positions have no target, and so no loss and no gradient.
#pragma once

#include "chapters/11-pretraining/batches.hpp"

namespace cria {

/// The prompt, which is only read, and the answer, which is learned to its end (Touvron et al. 2023, arXiv:2307.09288,
/// section 3.1: "we zero-out the loss on tokens from the user prompt"). The prompt's last token has the answer's first
/// as its target. `bytes` are those that the targets stand for. An answer may be empty: then its end is learned.
Document answer_document(const std::vector<std::int32_t>& prompt, const std::vector<std::int32_t>& answer,
                         std::int32_t end, size_t bytes);

}  // namespace cria
