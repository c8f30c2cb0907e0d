#include "chapters/13-quantisation/quantise_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "chapters/13-quantisation/error_weights.hpp"
#include "chapters/13-quantisation/quantise_blocks.hpp"
#include "chapters/13-quantisation/quantise_superblocks.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/with_block.hpp"

namespace cria {
namespace {

constexpr size_t neighbours = 32;  // divides the numbers of every block

template <class Block>
void quantise_row(std::span<const real> row, std::span<const float> importance, char* out) {
  float values[Block::numbers], weights[Block::numbers];
  for (size_t at = 0; at < row.size(); at += Block::numbers, out += sizeof(Block)) {
    std::ranges::copy(row.subspan(at, Block::numbers), values);
    for (size_t i = 0; i < Block::numbers; i += neighbours)
      weigh_errors({values + i, neighbours}, importance.empty() ? importance : importance.subspan(at + i, neighbours),
                   {weights + i, neighbours});
    Block block;
    quantise(values, weights, block);
    std::memcpy(out, &block, sizeof block);
  }
}

using QuantiseRow = void (*)(std::span<const real> row, std::span<const float> importance, char* out);

QuantiseRow find_search(ElementType type) {
  QuantiseRow search = nullptr;
  with_block(type, [&]<class Block>() { search = quantise_row<Block>; });
  return search;
}

}  // namespace

bool can_quantise(ElementType type) { return find_search(type) != nullptr; }

void quantise_rows(ThreadPool& pool, ElementType type, size_t row, std::span<const real> values,
                   std::span<const float> importance, std::string& out) {
  const QuantiseRow quantise_one = find_search(type);
  const TypeLayout layout = type_layout(type);
  require(quantise_one, "quantise_rows", "no search for this type");
  require(row > 0 && row % layout.numbers == 0 && values.size() % row == 0, "quantise_rows",
          "no whole number of rows, or of blocks in a row");
  require(importance.empty() || importance.size() == row, "quantise_rows", "expected an importance for each column");
  require(std::ranges::all_of(values, [](real x) { return std::isfinite(x); }), "quantise_rows",
          "a number is not finite");
  const size_t begin = out.size(), row_bytes = row / layout.numbers * layout.bytes;
  out.resize(begin + values.size() / row * row_bytes);
  pool.for_each(values.size() / row, [&](size_t i) {
    quantise_one(values.subspan(i * row, row), importance, out.data() + begin + i * row_bytes);
  });
}

}  // namespace cria
