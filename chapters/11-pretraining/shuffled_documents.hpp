// Documents in an order that changes with each pass over them.
#pragma once

#include <vector>

#include "chapters/11-pretraining/batches.hpp"
#include "chapters/11-pretraining/shuffled_order.hpp"

namespace cria {

class ShuffledDocuments {
 public:
  explicit ShuffledDocuments(std::uint64_t seed) : order_(seed) {}
  void add(Document document) { documents_.push_back(std::move(document)); }
  bool empty() const { return documents_.empty(); }

  /// Document number `index` of the endless sequence of passes; there must be one.
  const Document& at(std::uint64_t index) {
    if (order_.count() != documents_.size()) order_.set_count(documents_.size());
    return documents_[order_.at(index)];
  }

 private:
  std::vector<Document> documents_;
  ShuffledOrder order_;
};

}  // namespace cria
