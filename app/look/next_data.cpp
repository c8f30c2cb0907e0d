#include "app/look/next_data.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "app/look/encoded.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::look {
namespace {

using nlohmann::json;

/// The ids of the `most` largest numbers, the smaller id first of equals.
std::vector<std::int32_t> largest(std::span<const real> numbers, size_t most) {
  std::vector<std::int32_t> ids(numbers.size());
  std::iota(ids.begin(), ids.end(), 0);
  const size_t count = std::min(most, ids.size());
  std::partial_sort(ids.begin(), ids.begin() + std::ptrdiff_t(count), ids.end(), [&](std::int32_t a, std::int32_t b) {
    const real x = numbers[size_t(a)], y = numbers[size_t(b)];
    return x != y ? x > y : a < b;
  });
  ids.resize(count);
  return ids;
}

}  // namespace

std::vector<real> probabilities_of(std::span<const real> logits) {
  std::vector<real> p(logits.begin(), logits.end());
  simd::softmax(p.data(), p.size());
  return p;
}

json top_data(std::span<const real> probabilities, size_t most, std::set<TokenId>& shown) {
  json top = json::array();
  for (const std::int32_t id : largest(probabilities, most)) {
    shown.insert(id);
    top.push_back({id, probabilities[size_t(id)]});
  }
  return top;
}

json next_data(std::span<const real> logits, std::set<TokenId>& shown) {
  const std::vector<std::int32_t> ids = largest(logits, most_next);
  std::vector<real> kept;
  std::vector<bool> is_kept(logits.size());
  for (const std::int32_t id : ids) kept.push_back(logits[size_t(id)]), is_kept[size_t(id)] = true;
  shown.insert(ids.begin(), ids.end());
  double rest = 0;
  for (size_t i = 0; i < logits.size(); ++i)
    if (!is_kept[i]) rest += std::exp(double(logits[i]) - double(kept[0]));
  return {{"ids", encoded(ids)},
          {"logits", encoded(std::span<const real>(kept))},
          {"rest", rest > 0 ? json(double(kept[0]) + std::log(rest)) : json(nullptr)}};
}

json next_of_all(const Passage& passage, std::set<TokenId>& shown) {
  json next = json::array();
  for (size_t t = 0; t < passage.size(); ++t) next.push_back(next_data(passage.logits().rows(t, t + 1).span(), shown));
  return next;
}

json lens_data(const Passage& passage, std::set<TokenId>& shown) {
  json lens = json::array();
  const size_t V = passage.config().vocabulary_size;
  for (size_t layer = 0; layer <= passage.config().layers; ++layer) {
    const std::vector<real> logits = passage.lens(layer);
    json positions = json::array();
    for (size_t t = 0; t < passage.size(); ++t) {
      const std::vector<real> p = probabilities_of(std::span(logits).subspan(t * V, V));
      const bool last = t + 1 == passage.size();
      positions.push_back({{"top", top_data(p, most_top, shown)},
                           {"next", last ? json(nullptr) : json(p[size_t(passage.tokens()[t + 1])])}});
    }
    lens.push_back(std::move(positions));
  }
  return lens;
}

json head_off_data(const Passage& passage, size_t layer, size_t head, std::set<TokenId>& shown) {
  const std::vector<real> p = probabilities_of(passage.logits().rows(passage.size() - 1, passage.size()).span());
  const std::vector<real> q = probabilities_of(passage.without_head(layer, head));
  double divergence = 0;
  for (size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) divergence += double(p[i]) * std::log2(double(p[i]) / std::max(double(q[i]), 1e-300));
  return {{"layer", layer},
          {"head", head},
          {"top", top_data(q, most_top, shown)},
          {"divergence", std::max(divergence, 0.0)}};
}

json heads_off(const Passage& passage, double most_operations, std::set<TokenId>& shown) {
  const LlamaConfig& c = passage.config();
  if (double(c.layers * c.heads) * passage.operations() > most_operations) return nullptr;
  json all = json::array();
  for (size_t layer = 0; layer < c.layers; ++layer)
    for (size_t head = 0; head < c.heads; ++head) all.push_back(head_off_data(passage, layer, head, shown));
  return all;
}

}  // namespace cria::look
