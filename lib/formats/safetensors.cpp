// Reads and writes .safetensors: eight bytes with the header's length, the header (JSON), the tensors' bytes. For
// example
//   {"__metadata__": {"format": "pt"}, "norm.weight": {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]}}
// where the offsets count from the header's end. Every byte after the header belongs to exactly one tensor.
#include "lib/formats/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

using Json = nlohmann::json;

constexpr size_t length_bytes = 8;
constexpr size_t longest_header = 100'000'000;  // the limit of the reference implementation
constexpr const char* metadata_key = "__metadata__";

const std::map<std::string_view, ElementType> element_types = {
    {"BOOL", ElementType::boolean}, {"U8", ElementType::u8},   {"I8", ElementType::i8},     {"U16", ElementType::u16},
    {"I16", ElementType::i16},      {"U32", ElementType::u32}, {"I32", ElementType::i32},   {"U64", ElementType::u64},
    {"I64", ElementType::i64},      {"F16", ElementType::f16}, {"BF16", ElementType::bf16}, {"F32", ElementType::f32},
    {"F64", ElementType::f64}};

template <class... Arguments>
[[noreturn]] void fail(const std::filesystem::path& path, fmt::format_string<Arguments...> format,
                       Arguments&&... arguments) {
  throw UserError(fmt::format("{}: {}", path.string(), fmt::format(format, std::forward<Arguments>(arguments)...)));
}

std::string_view header_text(std::string_view file, const std::filesystem::path& path) {
  if (file.size() < length_bytes) fail(path, "is no .safetensors file: it has {} bytes, fewer than 8", file.size());
  std::uint64_t length;
  std::memcpy(&length, file.data(), length_bytes);
  if (length > longest_header) fail(path, "is no .safetensors file: its header would be {} bytes long", length);
  if (length > file.size() - length_bytes)
    fail(path, "the file ends within its header: expected {} bytes of header, found {}", length,
         file.size() - length_bytes);
  const std::string_view header = file.substr(length_bytes, length);
  if (!header.starts_with('{')) fail(path, "is no .safetensors file: its header does not begin with '{{'");
  return header;
}

// A field that must be a list of whole numbers.
std::vector<size_t> numbers(const Json& entry, const char* field, const std::string& name,
                            const std::filesystem::path& path) {
  const auto list = entry.find(field);
  const auto whole = [](const Json& number) { return number.is_number_unsigned(); };
  if (list == entry.end() || !list->is_array() || !std::all_of(list->begin(), list->end(), whole))
    fail(path, "tensor {}: expected \"{}\" to be a list of whole numbers", in_quotes(name), field);
  return list->get<std::vector<size_t>>();
}

StoredTensor read_entry(const std::string& name, const Json& entry, std::span<const std::byte> data,
                        const std::filesystem::path& path, SafetensorsFile::Names& unknown_dtypes) {
  const std::string tensor = in_quotes(name);
  if (!entry.is_object()) fail(path, "tensor {}: expected an object with dtype, shape and data_offsets", tensor);
  const auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string()) fail(path, "tensor {}: expected \"dtype\" to be a string", tensor);
  const std::vector<size_t> shape = numbers(entry, "shape", name, path);
  const std::vector<size_t> offsets = numbers(entry, "data_offsets", name, path);
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    fail(path, "tensor {}: expected \"data_offsets\" to be a beginning and an end", tensor);
  if (offsets[1] > data.size())
    fail(path, "tensor {} ends at byte {} of the data, but the file has only {} (is it cut off?)", tensor, offsets[1],
         data.size());
  const size_t bytes = offsets[1] - offsets[0];
  const auto type = element_types.find(dtype->get_ref<const std::string&>());
  if (type == element_types.end()) {  // no harm unless somebody asks for it
    unknown_dtypes.emplace(name, *dtype);
    return {name, ElementType::u8, shape, data.subspan(offsets[0], bytes)};
  }
  const auto expected = tensor_bytes(shape, type->second);
  if (!expected) fail(path, "tensor {}: shape {} is larger than any memory", tensor, shape_text(shape));
  if (*expected != bytes)
    fail(path, "tensor {} has {} bytes, but shape {} of {} needs {}", tensor, bytes, shape_text(shape), type->first,
         *expected);
  return {name, type->second, shape, data.subspan(offsets[0], bytes)};
}

// Each tensor begins where the one before ends, and the last ends with the file.
void check_tiling(const std::vector<StoredTensor>& tensors, std::span<const std::byte> data,
                  const std::filesystem::path& path) {
  size_t end = 0;
  for (const StoredTensor& tensor : tensors) {
    const size_t begin = static_cast<size_t>(tensor.bytes.data() - data.data());
    if (begin != end)
      fail(path, "tensor {} begins at byte {} of the data, expected {}: {}", in_quotes(tensor.name), begin, end,
           begin < end ? "it overlaps another" : "there is a gap before it");
    end += tensor.bytes.size();
  }
  if (end != data.size()) fail(path, "{} bytes follow the last tensor, expected none", data.size() - end);
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path), file_(path), tensors_(path) {
  const std::string_view header = header_text(file_.text(), path);
  const std::span<const std::byte> data = file_.bytes().subspan(length_bytes + header.size());
  const Json entries = parse_json(header, path.string() + ": the header");
  std::vector<StoredTensor> tensors;
  for (const auto& [name, entry] : entries.items()) {
    if (name != metadata_key) {
      tensors.push_back(read_entry(name, entry, data, path, unknown_dtypes_));
      continue;
    }
    if (entry.is_null()) continue;  // as some writers say that there is none
    const auto is_text = [](const Json& value) { return value.is_string(); };
    if (!entry.is_object() || !std::all_of(entry.begin(), entry.end(), is_text))
      fail(path, "expected \"{}\" to hold strings only", metadata_key);
    metadata_ = entry.get<std::map<std::string, std::string>>();
  }
  // An empty tensor lies before one that begins at the same byte.
  std::ranges::sort(tensors, {}, [](const StoredTensor& t) { return std::pair(t.bytes.data(), t.bytes.size()); });
  check_tiling(tensors, data, path);
  for (StoredTensor& tensor : tensors)
    if (!unknown_dtypes_.contains(tensor.name)) tensors_.add(std::move(tensor));
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  if (const auto unknown = unknown_dtypes_.find(name); unknown != unknown_dtypes_.end())
    fail(path_, "tensor {} has the unknown dtype {}, expected F64, F32, F16, BF16, an integer type or BOOL",
         in_quotes(name), in_quotes(unknown->second));
  return tensors_.find(name);
}

const StoredTensor& SafetensorsFile::tensor(std::string_view name) const {
  const StoredTensor* found = find(name);
  return found ? *found : tensors_.at(name);  // which says that it is missing
}

void SafetensorsFile::copy_to(std::string_view name, std::span<const size_t> shape, std::span<real> values) const {
  find(name);                                      // says of which dtype it is when that is not known
  release(tensors_.copy_to(name, shape, values));  // or a model would be in memory twice while it is read
}

}  // namespace cria
