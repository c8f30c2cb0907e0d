// Reading the matrices of a packed model.
#include "chapters/12-open-weights/matrix_reader.hpp"

#include <algorithm>
#include <numeric>

#include "chapters/04-rope/rope.hpp"
#include "chapters/12-open-weights/stored_parameters.hpp"
#include "lib/base/arena.hpp"
#include "lib/base/cpus.hpp"
#include "lib/formats/pack_row.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

// Which row of the file each row of a query or key is: its rows have RoPE's pairs side by side there, and their numbers
// are permuted as they would be.
std::vector<size_t> stored_rows(size_t rows, size_t head_dim) {
  std::vector<real> numbers(rows), permuted(rows);
  std::iota(numbers.begin(), numbers.end(), real(0));
  rope_permute_rows(View<real, 2>(numbers, {rows, 1}), head_dim, RopePairing::interleaved,
                    View<real, 2>(permuted, {rows, 1}));
  return {permuted.begin(), permuted.end()};
}

/// These rows of a matrix, whole groups of them. What has been read is given back on the way: of a large vocabulary the
/// head would else be there twice at the end.
Weight read_packed(const PackedSource& source, const StoredTensor& tensor, std::optional<size_t> head_dim_of_pairs,
                   Range rows, std::byte* to, ThreadPool& pool) {
  constexpr size_t piece = 4 << 20, together = simd::group_rows;  // rows that share bytes of `to`
  const size_t all = tensor.shape[0], columns = tensor.shape[1], row_bytes = tensor.bytes.size() / all;
  const auto stored = head_dim_of_pairs ? stored_rows(all, *head_dim_of_pairs) : std::vector<size_t>();
  const size_t groups = (rows.size() + together - 1) / together;
  const size_t at_a_time = std::max<size_t>(1, piece / (together * row_bytes));
  for (size_t first = 0; first < groups; first += at_a_time) {
    const size_t count = std::min(at_a_time, groups - first);
    const size_t end = std::min(rows.begin + (first + count) * together, rows.end);
    pool.for_each(count, [&](size_t i) {
      const size_t begin = rows.begin + (first + i) * together;
      for (size_t row = begin; row < std::min(begin + together, end); ++row)
        pack_row(tensor.type, tensor.bytes.data() + (stored.empty() ? row : stored[row]) * row_bytes, columns,
                 row - rows.begin, to);
    });
    StoredTensor read = tensor;
    read.bytes = tensor.bytes.first(end * row_bytes);
    source.release(read);
  }
  return Weight(simd::PackedRows{*packed_type(tensor.type), to, 0, rows.size(), columns});
}

/// Of a packed matrix rows cannot be had without the others of their groups.
Range whole_groups(Range rows, size_t all) {
  constexpr size_t together = simd::group_rows;
  return {rows.begin / together * together, std::min((rows.end + together - 1) / together * together, all)};
}

/// The part as `real`; of a packed matrix `weight` begins with row `first`.
View<real, 2> unpacked(const Weight& weight, size_t first, const KeptPart& kept, std::byte* place) {
  const View<real, 2> to(reinterpret_cast<real*>(place), {kept.rows.size(), kept.columns.size()});
  std::vector<real> row(weight.shape(1));
  for (size_t m = 0; m < to.shape(0); ++m) {
    const size_t from = kept.rows.begin - first + m;
    const View<real, 1> all(row.data(), {row.size()});
    if (weight.is_packed()) unpack_row(weight, from, all);
    noalias(to[m]) = (weight.is_packed() ? View<const real, 1>(all) : weight.numbers()[from]).part(kept.columns);
  }
  return to;
}

}  // namespace

MatrixReader::MatrixReader(const PackedSource& source, const KeepPart& keep)
    : source_(source), config_(source.config.llama), keep_(keep), pool_(available_cpus()) {}

KeptPart MatrixReader::kept(const std::string& name, const Shape<2>& shape) const {
  return keep_ ? keep_(config_, name, shape) : KeptPart{{0, shape[0]}, {0, shape[1]}};
}

size_t MatrixReader::bytes(const std::string& name, const Shape<2>& shape) const {
  const KeptPart part = kept(name, shape);
  const ElementType type = source_.tensor(name)->type;
  if (part.rows.empty()) return 0;
  if (part.columns.size() < shape[1])
    return packed_tensor_bytes(ElementType::f32, Shape<2>{part.rows.size(), part.columns.size()});
  const Range rows = packed_type(type) ? whole_groups(part.rows, shape[0]) : part.rows;
  return packed_tensor_bytes(type, Shape<2>{rows.size(), shape[1]});
}

Weight MatrixReader::read(const std::string& name, const Shape<2>& shape, std::byte* place) {
  const KeptPart part = kept(name, shape);
  const StoredTensor& tensor = *source_.tensor(name);
  if (part.rows.empty()) return {};
  const bool has_pairs = source_.has_pairs && parameter_name(name).has_pairs, cut = part.columns.size() < shape[1];
  ZeroedBlock apart;  // for what is not kept
  const auto to = [&](bool here, size_t bytes) {
    if (!here) apart = ZeroedBlock(bytes);
    return here ? place : static_cast<std::byte*>(apart.data());
  };
  if (packed_type(tensor.type)) {
    const Range rows = whole_groups(part.rows, shape[0]);
    const auto head_dim = has_pairs ? std::optional(config_.head_dim) : std::nullopt;
    const size_t bytes = packed_tensor_bytes(tensor.type, Shape<2>{rows.size(), shape[1]});
    const Weight read = read_packed(source_, tensor, head_dim, rows, to(!cut, bytes), pool_);
    if (cut) return Weight(unpacked(read, rows.begin, part, place));
    return read.rows({part.rows.begin - rows.begin, part.rows.end - rows.begin});
  }
  const bool whole = !cut && part.rows.size() == shape[0];
  const View<real, 2> numbers(reinterpret_cast<real*>(to(whole, element_count(shape) * sizeof(real))), shape);
  const auto copy = [&](std::span<real> values) { source_.copy(tensor, shape, values); };
  has_pairs ? read_interleaved(numbers, config_, copy) : copy(numbers.span());
  if (whole) return Weight(numbers);
  source_.release(tensor);
  return Weight(unpacked(Weight(numbers), 0, part, place));
}

}  // namespace cria
