#include "lib/formats/torch_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "lib/base/check.hpp"
#include "lib/base/with_name.hpp"
#include "lib/formats/pickle.hpp"

namespace cria {
namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view rebuild_tensor = "torch._utils._rebuild_tensor_v2",
                           rebuild_parameter = "torch._utils._rebuild_parameter",
                           ordered_dictionary = "collections.OrderedDict";
const std::map<std::string_view, ElementType> storage_types = {{"torch.FloatStorage", ElementType::f32},
                                                               {"torch.HalfStorage", ElementType::f16},
                                                               {"torch.BFloat16Storage", ElementType::bf16},
                                                               {"torch.DoubleStorage", ElementType::f64}};

bool is_known(std::string_view name) {
  return name == rebuild_tensor || name == rebuild_parameter || name == ordered_dictionary ||
         storage_types.contains(name);
}

[[noreturn]] void fail(const std::string& tensor, const std::string& why) {
  throw UserError(fmt::format("tensor {}: {}", in_quotes(tensor), why));
}

// The arguments of a call of this function, at least so many.
const std::vector<const PickleValue*>& arguments(const PickleValue& value, std::string_view function, size_t count,
                                                 const std::string& tensor) {
  if (value.kind != Kind::call || value.items[0]->text != function || value.items[1]->items.size() < count)
    fail(tensor, fmt::format("expected a call of {}", function));
  return value.items[1]->items;
}

std::vector<size_t> whole_numbers(const PickleValue& value, const std::string& tensor) {
  constexpr size_t most_axes = 8;
  if (value.kind != Kind::sequence || value.items.size() > most_axes) fail(tensor, "its shape is no list of numbers");
  std::vector<size_t> numbers;
  for (const PickleValue* item : value.items) {
    if (item->kind != Kind::whole || item->number < 0) fail(tensor, "its shape or strides are no whole numbers");
    numbers.push_back(size_t(item->number));
  }
  return numbers;
}

// A tensor's place in the file as the pickle tells it.
struct Placement {
  ElementType type;
  std::string key;
  size_t storage_count, offset;
  std::vector<size_t> shape, strides;
  size_t count = 1;  // of numbers

  Placement(const PickleValue& tensor_value, const std::string& tensor) {
    const PickleValue* value = &tensor_value;
    if (value->kind == Kind::call && value->items[0]->text == rebuild_parameter)
      value = arguments(*value, rebuild_parameter, 1, tensor)[0];
    const auto& parts = arguments(*value, rebuild_tensor, 4, tensor);
    if (parts[0]->kind != Kind::outside || parts[0]->items[0]->items.size() != 5 || parts[1]->kind != Kind::whole)
      fail(tensor, "expected a storage and an offset");
    const auto& storage = parts[0]->items[0]->items;  // ("storage", type, key, device, count)
    const auto known = storage_types.find(storage[1]->text);
    if (known == storage_types.end())
      fail(tensor,
           fmt::format("its type is {}, expected float, half, bfloat16 or double", in_quotes(storage[1]->text)));
    if (storage[4]->kind != Kind::whole || storage[4]->number < 0 || parts[1]->number < 0)
      fail(tensor, "its storage's size or its offset is negative");
    type = known->second, key = storage[2]->text;
    storage_count = size_t(storage[4]->number), offset = size_t(parts[1]->number);
    shape = whole_numbers(*parts[2], tensor), strides = whole_numbers(*parts[3], tensor);
    if (shape.size() != strides.size()) fail(tensor, "it has another number of strides than of axes");
    require_within(tensor);
  }

  bool contiguous() const {
    size_t stride = 1;
    for (size_t axis = shape.size(); axis-- > 0; stride *= shape[axis])
      if (shape[axis] > 1 && strides[axis] != stride) return false;
    return true;
  }

 private:
  // The last number lies within the storage, and there are no more numbers than the storage has.
  void require_within(const std::string& tensor) {
    size_t last = offset;
    bool overflow = false;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      size_t step = 0;
      overflow |= __builtin_mul_overflow(count, shape[axis], &count);
      overflow |= shape[axis] > 0 && __builtin_mul_overflow(shape[axis] - 1, strides[axis], &step);
      overflow |= __builtin_add_overflow(last, step, &last);
    }
    if (overflow || count > storage_count || (count > 0 && last >= storage_count))
      fail(tensor, "it reaches beyond its storage");
  }
};

// The numbers of a strided tensor, row by row.
std::string gather(const Placement& place, std::span<const std::byte> storage) {
  const size_t size = element_size(place.type);
  std::string out;
  out.reserve(place.count * size);
  std::vector<size_t> index(place.shape.size());
  for (size_t i = 0; i < place.count; ++i) {
    size_t at = place.offset;
    for (size_t axis = 0; axis < index.size(); ++axis) at += index[axis] * place.strides[axis];
    out.append(reinterpret_cast<const char*>(storage.data()) + at * size, size);
    for (size_t axis = index.size(); axis-- > 0 && ++index[axis] == place.shape[axis];) index[axis] = 0;
  }
  return out;
}

// "archive/" of the entry "archive/data.pkl".
std::string prefix_of(const ZipFile::Entries& entries) {
  constexpr std::string_view pickle = "/data.pkl";
  for (const auto& [name, bytes] : entries)
    if (name.ends_with(pickle)) return name.substr(0, name.size() - pickle.size() + 1);
  throw UserError("expected an entry data.pkl, as torch.save writes");
}

}  // namespace

TorchFile::TorchFile(const std::filesystem::path& path) : zip_(path), tensors_(path) {
  with_name(path, [&] { read_tensors(); });
}

void TorchFile::read_tensors() {
  const auto& entries = zip_.entries();
  const std::string prefix = prefix_of(entries);
  if (const auto order = entries.find(prefix + "byteorder"); order != entries.end())
    if (std::string_view(reinterpret_cast<const char*>(order->second.data()), order->second.size()) != "little")
      throw UserError("its numbers are big-endian, expected little-endian");
  const Pickle pickle(entries.at(prefix + "data.pkl"), is_known);
  const PickleValue& root = pickle.root();
  if (root.kind != Kind::dictionary) throw UserError("holds no dictionary of tensors");
  size_t copied = 0;  // bytes of tensors that share a storage must not add up to more than all storages
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    if (root.items[i]->kind != Kind::text) throw UserError("a tensor's name is no text");
    const std::string& name = root.items[i]->text;
    const Placement place(*root.items[i + 1], name);
    const auto storage = entries.find(prefix + "data/" + place.key);
    if (place.key.empty() || storage == entries.end()) fail(name, "the archive has no such storage");
    const size_t size = element_size(place.type);
    if (place.storage_count > storage->second.size() / size)
      fail(name,
           fmt::format("its storage has {} bytes, fewer than {} numbers", storage->second.size(), place.storage_count));
    std::span<const std::byte> bytes;
    if (place.contiguous())
      bytes = storage->second.subspan(place.count > 0 ? place.offset * size : 0, place.count * size);
    else if ((copied += place.count * size) > zip_.file().bytes().size())
      fail(name, "there are more numbers out of order than the file holds");
    else
      bytes = std::as_bytes(std::span(copies_.emplace_back(gather(place, storage->second))));
    tensors_.add({name, place.type, place.shape, bytes});
  }
}

}  // namespace cria
