#include "chapters/15-adapters/base_fingerprint.hpp"

#include <algorithm>
#include <vector>

#include "lib/base/fingerprint.hpp"

namespace cria {
namespace {

class Sum {
 public:
  explicit Sum(std::uint64_t before) : sum_(before) {}
  std::uint64_t value() const { return sum_; }

  void add(View<const real, 1> numbers) {
    sum_ = bulk_fingerprint({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(real)}, sum_);
  }
  void add(const Weight& weight) {
    row_.resize(weight.shape(1));
    for (size_t m = 0; m < weight.shape(0); ++m) {
      if (weight.is_packed())
        unpack_row(weight, m, {row_.data(), {row_.size()}});
      else
        std::copy(weight.numbers()[m].begin(), weight.numbers()[m].end(), row_.begin());
      add(View<const real, 1>(row_.data(), {row_.size()}));
    }
  }

 private:
  std::uint64_t sum_;
  std::vector<real> row_;
};

}  // namespace

std::uint64_t base_fingerprint(const LlamaWeights& weights, std::uint64_t before) {
  Sum sum(before);
  for_each_parameter(weights.config, weights.tensors,
                     [&](const std::string&, const auto&, const auto& tensor) { sum.add(tensor); });
  return sum.value();
}

}  // namespace cria
