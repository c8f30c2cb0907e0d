// Documents in an order that changes with each pass over them.
#pragma once

#include <cstdint>
#include <vector>

#include "chapters/11-pretraining/batches.hpp"

namespace cria {

class ShuffledDocuments {
 public:
  explicit ShuffledDocuments(std::uint64_t seed) : seed_(seed) {}
  void add(Document document) { documents_.push_back(std::move(document)); }
  bool empty() const { return documents_.empty(); }

  /// Document number `index` of the endless sequence of passes; there must be one.
  const Document& at(std::uint64_t index);

 private:
  void shuffle(std::uint64_t pass);

  std::uint64_t seed_, pass_ = 0;
  std::vector<Document> documents_;
  std::vector<std::uint32_t> order_;
};

}  // namespace cria
