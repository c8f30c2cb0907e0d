// Chapter 11, batches.
#include "chapters/11-pretraining/batches.hpp"

#include <algorithm>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/base/check.hpp"
#include "lib/base/random.hpp"

namespace cria {

Document make_document(const std::vector<std::int32_t>& text, std::int32_t begin, std::int32_t end, size_t bytes) {
  // solution: make_document
  Document document{{begin}, text, bytes};
  document.tokens.insert(document.tokens.end(), text.begin(), text.end());
  document.targets.push_back(end);
  return document;
  // end of solution
}

std::vector<Document> cut(const Document& document, size_t length) {
  std::vector<Document> pieces;
  const size_t size = document.tokens.size();
  // solution: cut
  for (size_t begin = 0; begin < size; begin += length) {
    const auto part = [&](const std::vector<std::int32_t>& ids) {
      return std::vector<std::int32_t>(ids.begin() + begin, ids.begin() + std::min(begin + length, size));
    };
    pieces.push_back({part(document.tokens), part(document.targets), 0});
    pieces.back().bytes = document.bytes * pieces.back().tokens.size() / size;
  }
  // end of solution
  return pieces;
}

BatchMemory::BatchMemory(size_t sequences, size_t positions, bool document_mask)
    : sequences_(sequences),
      positions_(positions),
      tokens_(sequences * positions),
      targets_(sequences * positions, no_target),
      first_key_(document_mask ? sequences * positions : 0),
      used_(sequences) {}

void BatchMemory::clear() {
  std::ranges::fill(tokens_, 0);
  std::ranges::fill(targets_, no_target);
  for (size_t i = 0; i < first_key_.size(); ++i) first_key_[i] = static_cast<std::int32_t>(i % positions_);
  std::ranges::fill(used_, 0);
  bytes = 0;
}

bool BatchMemory::add(const Document& document) {
  const size_t length = document.tokens.size();
  // solution: add_document
  const auto room = std::ranges::find_if(used_, [&](size_t used) { return used + length <= positions_; });
  if (room == used_.end()) return false;
  const size_t at = (room - used_.begin()) * positions_ + *room;
  std::ranges::copy(document.tokens, tokens_.begin() + at);
  std::ranges::copy(document.targets, targets_.begin() + at);
  std::fill_n(first_key_.begin() + at, length, static_cast<std::int32_t>(*room));
  *room += length;
  bytes += document.bytes;
  return true;
  // end of solution
}

void BatchMemory::set_window(size_t b, std::span<const std::int32_t> tokens_and_next) {
  const size_t length = tokens_and_next.size() - 1;
  // solution: set_window
  std::copy_n(tokens_and_next.begin(), length, tokens_.begin() + b * positions_);
  std::copy_n(tokens_and_next.begin() + 1, length, targets_.begin() + b * positions_);
  // end of solution
}

Batch BatchMemory::batch() const {
  const Shape<2> shape{sequences_, positions_};
  return {{tokens_.data(), shape}, {targets_.data(), shape}, first_key_};
}

namespace {

class PackedDocuments : public BatchSource {
 public:
  PackedDocuments(DocumentAt document_at, size_t sequences, size_t positions)
      : document_at_(std::move(document_at)), positions_(positions), memory_(sequences, positions, true) {}

  Batch next() override {
    memory_.clear();
    for (;; ++next_document_) {
      Document document = document_at_(next_document_);
      if (document.tokens.size() > positions_) document = cut(document, positions_).front();
      if (!memory_.add(document)) return memory_.batch();
    }
  }
  double bytes() const override { return double(memory_.bytes); }
  std::uint64_t state() const override { return next_document_; }
  void restore(std::uint64_t state) override { next_document_ = state; }

 private:
  DocumentAt document_at_;
  size_t positions_;
  BatchMemory memory_;
  std::uint64_t next_document_ = 0;
};

class RandomWindows : public BatchSource {
 public:
  RandomWindows(std::vector<std::int32_t> tokens, double bytes_per_token, size_t sequences, size_t positions,
                std::uint64_t seed)
      : tokens_(std::move(tokens)),
        bytes_per_token_(bytes_per_token),
        sequences_(sequences),
        positions_(positions),
        memory_(sequences, positions, false),
        random_(seed) {
    require(tokens_.size() > positions, "random_windows", "the text is shorter than a window");
  }

  Batch next() override {
    const size_t places = tokens_.size() - positions_;
    for (size_t b = 0; b < sequences_; ++b)
      memory_.set_window(b,
                         std::span(tokens_).subspan(random_.below(static_cast<std::uint32_t>(places)), positions_ + 1));
    return memory_.batch();
  }
  double bytes() const override { return bytes_per_token_ * double(sequences_ * positions_); }
  std::uint64_t state() const override { return random_.state(); }
  void restore(std::uint64_t state) override {
    if (state == 0) throw UserError("the checkpoint's position is 0, which no run comes to; the file is damaged");
    random_ = Random::from_state(state);
  }

 private:
  std::vector<std::int32_t> tokens_;
  double bytes_per_token_;
  size_t sequences_, positions_;
  BatchMemory memory_;
  Random random_;
};

}  // namespace

std::unique_ptr<BatchSource> packed_documents(DocumentAt document_at, size_t sequences, size_t positions) {
  return std::make_unique<PackedDocuments>(std::move(document_at), sequences, positions);
}

std::unique_ptr<BatchSource> random_windows(std::vector<std::int32_t> tokens, double bytes_per_token, size_t sequences,
                                            size_t positions, std::uint64_t seed) {
  return std::make_unique<RandomWindows>(std::move(tokens), bytes_per_token, sequences, positions, seed);
}

}  // namespace cria
