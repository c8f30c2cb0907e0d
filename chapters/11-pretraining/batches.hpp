// Where training batches come from: documents packed into windows, or windows cut from one long text.
//
// Every source gives batch after batch for ever, and its state is one number, so that a run which is killed and resumed
// sees exactly the batches that it would have seen.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "chapters/10-training-step/trainer.hpp"

namespace cria {

/// A text that stands by itself: what a model reads, and what it should say next at each place.
struct Document {
  std::vector<std::int32_t> tokens, targets;  // equally long
  size_t bytes = 0;                           // of text that the targets stand for
};

/// Begin, text; and text, end: the model learns to end a document, not to go on to the next one.
Document make_document(const std::vector<std::int32_t>& text, std::int32_t begin, std::int32_t end, size_t bytes);

/// A document longer than `length` as pieces that are no longer: a window cannot hold more.
std::vector<Document> cut(const Document& document, size_t length);

/// The memory of one batch.
class BatchMemory {
 public:
  BatchMemory(size_t sequences, size_t positions, bool document_mask);
  /// All rows empty: no targets, and each padded position sees only itself.
  void clear();
  /// Appends a document to the first sequence with room; false when there is none.
  bool add(const Document& document);
  /// Fills sequence b with a window of a long text.
  void set_window(size_t b, std::span<const std::int32_t> tokens_and_next);

  Batch batch() const;
  size_t bytes = 0;  // of text that the targets stand for

 private:
  size_t sequences_, positions_;
  std::vector<std::int32_t> tokens_, targets_, first_key_;
  std::vector<size_t> used_;  // positions of each sequence
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// The next batch; the views hold until the next call.
  virtual Batch next() = 0;
  /// Bytes of text that the last batch's targets stand for.
  virtual double bytes() const = 0;
  /// Continues from a state that an equal source gave.
  virtual std::uint64_t state() const = 0;
  virtual void restore(std::uint64_t state) = 0;
};

/// Document number i, for any i: a fresh story, or one of a file's in an order that changes with each pass.
using DocumentAt = std::function<Document(std::uint64_t index)>;

/// Packs documents, in order, into windows where attention does not cross from one to the next. A batch ends before the
/// first document that fits nowhere, which begins the next one. Documents are cut to the window's length.
std::unique_ptr<BatchSource> packed_documents(DocumentAt document_at, size_t sequences, size_t positions);

/// Windows that begin at random places of one long text.
std::unique_ptr<BatchSource> random_windows(std::vector<std::int32_t> tokens, double bytes_per_token, size_t sequences,
                                            size_t positions, std::uint64_t seed);

}  // namespace cria
