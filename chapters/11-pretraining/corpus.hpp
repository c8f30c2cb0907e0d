// From a text file, or the built-in stories, to a tokenizer, training batches and held-out batches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/11-pretraining/batches.hpp"
#include "chapters/11-pretraining/data.hpp"
#include "chapters/11-pretraining/document_ends.hpp"
#include "chapters/11-pretraining/recipe.hpp"

namespace cria {

/// Held-out text: always the same batches, so losses can be compared.
struct Validation {
  std::vector<BatchMemory> batches;
  size_t targets = 0;
  double bytes = 0;             // of text that the targets stand for
  std::optional<double> floor;  // bits per byte that the best possible model needs, where the source is known

  /// Adds a document, cut to the shape's positions, with its targets and bytes.
  void add(const Document& document, const TrainerOptions& shape);
  /// Mean loss in nats per target, from a function that gives the sum over one batch's targets.
  double loss(const std::function<double(const Batch&)>& summed_loss) const;
  /// The same text's bits per byte at this loss; unlike nats per token it does not depend on the tokenizer.
  double bits_per_byte(double loss) const;
};

struct Corpus {
  std::unique_ptr<BatchSource> training;
  Validation validation;
  bool has_documents = false;     // texts begin and end with special tokens; else it is one long stream
  size_t training_tokens = 0;     // 0: a source without end
  std::uint64_t fingerprint = 0;  // of the text or its documents, or of the grammar of the stories
};

/// The tokenizer that `kind` asks for: bpe and characters learn from the data, bytes needs none, anything else is the
/// folder or file of an existing one. Throws UserError for data that is missing or empty.
Tokenizer make_tokenizer(const std::string& kind, const Data& data, const Recipe& recipe);

/// Throws UserError when the data is empty, or shorter than a context, or when there are documents and no tokens to
/// begin and end them. The tokenizer must outlive the corpus: stories are written and encoded when they are asked for.
Corpus open_corpus(const Data& data, const Tokenizer& tokenizer, const Recipe& recipe, const DocumentEnds& ends);
inline Corpus open_corpus(const Data& data, const Tokenizer& tokenizer, const Recipe& recipe) {
  return open_corpus(data, tokenizer, recipe, document_ends(tokenizer));
}

/// Files whole, as held-out text: as documents between `ends`, or each as one stream.
Validation open_validation(const Data& data, const Tokenizer& tokenizer, const Recipe& recipe,
                           const std::optional<DocumentEnds>& ends);

}  // namespace cria
