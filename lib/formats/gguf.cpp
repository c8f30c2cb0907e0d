// Reads GGUF: "GGUF", version, counts of tensors and keys; each key with its type and value; each tensor's name, shape,
// type and offset; and, from the next multiple of the alignment on, the tensors.
#include "lib/formats/gguf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "lib/base/check.hpp"
#include "lib/formats/gguf_cursor.hpp"
#include "lib/formats/gguf_types.hpp"

namespace cria {
namespace {

constexpr std::uint32_t gguf_magic = 0x46554747;  // "GGUF"
constexpr std::uint64_t default_alignment = 32, largest_alignment = 1 << 16;
constexpr std::uint32_t most_axes = 4;
constexpr std::uint64_t most_entries = 1 << 16;  // keys, or tensors: Llama 3.1 405B has 1137
constexpr size_t longest_name = 64 * 1024 - 1;

// A tensor as the file's header has it.
struct Entry {
  std::string name;
  ElementType type;
  std::vector<size_t> shape;
  std::uint64_t offset, bytes;
};

GgufValue read_value(GgufCursor& at, const std::string& key) {
  const GgufType type = at.type(key);
  if (type != GgufType::array) return {type, at.skip(type, 1, key)};
  const GgufType element = at.type(key);
  if (element == GgufType::array) at.fail("key {} is an array of arrays, expected numbers or texts", in_quotes(key));
  const auto count = at.number<std::uint64_t>("the length of an array");
  return {element, count, at.skip(element, count, key)};
}

Entry read_entry(GgufCursor& at) {
  Entry entry{std::string(at.text("a tensor's name")), {}, {}, 0, 0};
  const std::string name = in_quotes(entry.name);
  const auto axes = at.number<std::uint32_t>("a tensor's axes");
  if (axes > most_axes) at.fail("tensor {} has {} axes, expected at most {}", name, axes, most_axes);
  for (std::uint32_t i = 0; i < axes; ++i) entry.shape.push_back(at.number<std::uint64_t>("a tensor's shape"));
  std::ranges::reverse(entry.shape);
  const auto type = at.number<std::uint32_t>("a tensor's type");
  const auto known = gguf_tensor_types.find(type);
  if (known == gguf_tensor_types.end())
    at.fail(
        "tensor {} has GGML's type {}, which cria does not read; expected F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, "
        "Q5_1, Q2_K to Q6_K, IQ4_NL or IQ4_XS",
        name, type);
  entry.type = known->second;
  entry.offset = at.number<std::uint64_t>("a tensor's offset");
  const auto bytes = tensor_bytes(entry.shape, entry.type);
  const TypeLayout layout = type_layout(entry.type);
  if (std::ranges::find(entry.shape, size_t{0}) != entry.shape.end())
    at.fail("tensor {} has shape {}, expected no axis of 0", name, shape_text(entry.shape));
  if (!bytes && !entry.shape.empty() && entry.shape.back() % layout.numbers != 0)
    at.fail("tensor {} has rows of {} numbers, but {} needs a multiple of {}", name, entry.shape.back(), layout.name,
            layout.numbers);
  if (!bytes) at.fail("tensor {}: shape {} is larger than any memory", name, shape_text(entry.shape));
  entry.bytes = *bytes;
  return entry;
}

std::uint64_t alignment_of(const GgufCursor& at, const GgufValue* value) {
  if (!value) return default_alignment;
  const auto alignment = value->whole();
  if (!alignment || !std::has_single_bit(*alignment) || *alignment > largest_alignment)
    at.fail("general.alignment is not a power of two up to {}", largest_alignment);
  return *alignment;
}

// No two tensors share a byte: what overlaps is damage, or made to mislead.
void require_apart(const GgufCursor& at, std::vector<Entry> entries) {
  std::ranges::sort(entries, {}, &Entry::offset);
  for (size_t i = 1; i < entries.size(); ++i)
    if (entries[i].offset < entries[i - 1].offset + entries[i - 1].bytes)
      at.fail("tensor {} overlaps {}", in_quotes(entries[i].name), in_quotes(entries[i - 1].name));
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) : path_(path), tensors_(path) {
  read_part(path);
  read_other_parts();
}

void GgufFile::read_part(const std::filesystem::path& path) {
  const bool first = parts_.empty();
  parts_.emplace_back(path);
  const std::span<const std::byte> file = parts_.back().bytes();
  GgufCursor at(path, file);
  if (file.size() < 4 || at.number<std::uint32_t>("the file's kind") != gguf_magic)
    at.fail("is no GGUF file: expected it to begin with \"GGUF\"");
  const auto version = at.number<std::uint32_t>("the version");
  if (version == 0x03000000 || version == 0x02000000) at.fail("is a big-endian GGUF file, expected little-endian");
  if (version != 2 && version != 3) at.fail("is GGUF of version {}, expected 2 or 3", version);
  const auto tensor_count = at.number<std::uint64_t>("the number of tensors");
  const auto key_count = at.number<std::uint64_t>("the number of keys");
  if (std::max(tensor_count, key_count) > most_entries)
    at.fail("has {} tensors and {} keys, expected at most {}", tensor_count, key_count, most_entries);
  Metadata metadata;
  std::map<std::string, size_t, std::less<>> index;
  for (std::uint64_t i = 0; i < key_count; ++i) {
    const std::string key(at.text("a key"));
    if (key.empty()) at.fail("key {} has no name", i);
    if (key.size() > longest_name) at.fail("a key has {} bytes, expected at most {}", key.size(), longest_name);
    if (!index.emplace(key, i).second) at.fail("key {} is there twice", in_quotes(key));
    metadata.emplace_back(key, read_value(at, key));
  }
  std::vector<Entry> entries;
  for (std::uint64_t i = 0; i < tensor_count; ++i) entries.push_back(read_entry(at));
  const auto stated = index.find("general.alignment");
  const auto alignment = alignment_of(at, stated == index.end() ? nullptr : &metadata[stated->second].second);
  require_apart(at, entries);
  const std::span<const std::byte> data = at.aligned_rest(alignment);
  std::uint64_t end = 0;
  for (Entry& entry : entries) {
    const std::string name = in_quotes(entry.name);
    if (entry.offset % alignment != 0)
      at.fail("tensor {} begins at byte {} of the data, expected a multiple of {}", name, entry.offset, alignment);
    if (entry.offset > data.size() || entry.bytes > data.size() - entry.offset)
      at.fail("tensor {} ends at byte {} of the data, but the file has only {} (is it cut off?)", name,
              double(entry.offset) + double(entry.bytes), data.size());
    end = std::max(end, entry.offset + entry.bytes);
    tensors_.add({std::move(entry.name), entry.type, std::move(entry.shape), data.subspan(entry.offset, entry.bytes)});
  }
  if (data.size() - end >= alignment && data.size() - end >= default_alignment)
    at.fail("{} bytes follow the last tensor, expected none", data.size() - end);
  if (first) metadata_ = std::move(metadata), index_ = std::move(index);
}

void GgufFile::read_other_parts() {
  const auto whole = [&](const char* key) {
    const GgufValue* value = find(key);
    return value ? value->whole() : std::nullopt;
  };
  const auto count = whole("split.count");
  if (!count || *count <= 1) return;
  if (whole("split.no").value_or(0) != 0)
    throw UserError(
        fmt::format("{} is part {} of a split model, expected the first", path_.string(), *whole("split.no") + 1));
  const std::string name = path_.filename().string(), end = fmt::format("-00001-of-{:05}.gguf", *count);
  if (*count > 99999 || !name.ends_with(end))
    throw UserError(fmt::format("{}: the first of {} parts is expected to be called NAME{}", path_.string(), *count,
                                fmt::format("-00001-of-{:05}.gguf", *count)));
  for (std::uint64_t i = 2; i <= *count; ++i)
    read_part(path_.parent_path() /
              (name.substr(0, name.size() - end.size()) + fmt::format("-{:05}-of-{:05}.gguf", i, *count)));
  if (const auto tensors = whole("split.tensors.count"); tensors && *tensors != tensors_.all().size())
    throw UserError(fmt::format("{}: the {} parts hold {} tensors, expected {}", path_.string(), *count,
                                tensors_.all().size(), *tensors));
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &metadata_[found->second].second;
}

void GgufFile::copy_to(std::string_view name, std::span<const size_t> shape, std::span<real> values) const {
  release(tensors_.copy_to(name, shape, values));  // or a model would be in memory twice while it is read
}

void GgufFile::release(const StoredTensor& tensor) const {
  const std::span<const std::byte> bytes = tensor.bytes;
  for (const MappedFile& part : parts_)
    if (bytes.data() >= part.bytes().data() && bytes.data() < part.bytes().data() + part.bytes().size())
      part.release(bytes);
}

bool is_gguf(const std::filesystem::path& path) {
  char begin[4] = {};
  std::ifstream(path, std::ios::binary).read(begin, sizeof begin);
  return std::string_view(begin, sizeof begin) == "GGUF";
}

}  // namespace cria
