// Reads and writes .npy files. The layout (numpy.lib.format): the magic "\x93NUMPY", two bytes of version, the header's
// length in 2 bytes (version 1) or 4, the header, which is a Python dictionary such as
//   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
// padded with blanks and a newline so that the numbers start at a multiple of 64, and the numbers.
//
// A reader of its own instead of xtensor's, which trusts the file: a damaged one would read past the buffer.
#include "lib/formats/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>

#include "lib/base/file.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

struct Header {
  std::string type;
  std::optional<bool> fortran_order;
  std::optional<std::vector<size_t>> shape;
};

// Scans the dictionary; any deviation ends in fail().
class HeaderScanner {
 public:
  HeaderScanner(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {}

  Header scan() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && header.type.empty())
        header.type = string();
      else if (key == "fortran_order" && !header.fortran_order)
        header.fortran_order = boolean();
      else if (key == "shape" && !header.shape)
        header.shape = tuple();
      else
        fail();
      if (accept('}')) break;
      expect(',');
    }
    skip_blanks();
    if (!text_.empty() || header.type.empty() || !header.fortran_order || !header.shape) fail();
    return header;
  }

 private:
  [[noreturn]] void fail() const {
    throw UserError(
        fmt::format("{}: the .npy header is damaged: expected {{'descr': '<f4', 'fortran_order': False, "
                    "'shape': (3, 4), }} with a plain number type",
                    path_.string()));
  }
  void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  bool accept(char c) {
    skip_blanks();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool accept(std::string_view word) {
    skip_blanks();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  std::string string() {
    accept('u');  // Python 2 wrote u'descr'
    const char quote = accept('\'') ? '\'' : accept('"') ? '"' : '\0';
    const size_t end = quote ? text_.find(quote) : std::string_view::npos;
    if (end == std::string_view::npos) fail();
    const std::string word(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return word;
  }
  bool boolean() {
    if (accept("True")) return true;
    if (accept("False")) return false;
    fail();
  }
  std::vector<size_t> tuple() {
    std::vector<size_t> shape;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      size_t extent = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
      if (error != std::errc()) fail();
      text_.remove_prefix(static_cast<size_t>(end - text_.data()));
      accept('L');  // Python 2 wrote 3L
      shape.push_back(extent);
      if (accept(')')) {
        if (shape.size() == 1) fail();  // (3) is no tuple
        break;
      }
      expect(',');
    }
    return shape;
  }

  std::string_view text_;
  const std::filesystem::path& path_;
};

// NumPy writes an order in front of the letter and the size: '<' little-endian, '>' big-endian, '|' none as there is
// one byte, '=' that of the machine. It reads any of them, or none.
std::optional<ElementType> element_type(std::string_view npy_type) {
  static const std::map<std::string_view, ElementType> types = {
      {"b1", ElementType::boolean}, {"u1", ElementType::u8},  {"i1", ElementType::i8},  {"u2", ElementType::u16},
      {"i2", ElementType::i16},     {"u4", ElementType::u32}, {"i4", ElementType::i32}, {"u8", ElementType::u64},
      {"i8", ElementType::i64},     {"f2", ElementType::f16}, {"f4", ElementType::f32}, {"f8", ElementType::f64}};
  if (npy_type.size() == 3 && std::string_view("<>|=").find(npy_type[0]) != std::string_view::npos)
    npy_type.remove_prefix(1);
  const auto found = types.find(npy_type);
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::byte> in_reverse(std::span<const std::byte> numbers, size_t size) {
  std::vector<std::byte> bytes(numbers.begin(), numbers.end());
  for (size_t at = 0; at < bytes.size(); at += size) std::reverse(&bytes[at], &bytes[at] + size);
  return bytes;
}

// Fortran order runs through the first axis fastest.
std::vector<double> row_major(const std::vector<double>& values, const std::vector<size_t>& shape) {
  std::vector<double> out(values.size());
  std::vector<size_t> index(shape.size());
  for (const double value : values) {
    size_t offset = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) offset = offset * shape[axis] + index[axis];
    out[offset] = value;
    for (size_t axis = 0; axis < shape.size() && ++index[axis] == shape[axis]; ++axis) index[axis] = 0;
  }
  return out;
}

}  // namespace

NpyArray read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  std::string_view text = file.text();
  if (!text.starts_with(magic)) throw UserError(fmt::format("{} is not a .npy file", path.string()));

  const unsigned version = text.size() > 6 ? static_cast<unsigned char>(text[6]) : 0;
  if (version < 1 || version > 3)
    throw UserError(fmt::format("{}: .npy version {} is unknown, expected 1, 2 or 3", path.string(), version));
  const size_t length_bytes = version == 1 ? 2 : 4, header_begin = 8 + length_bytes;
  size_t header_length = 0;
  for (size_t i = 0; i < length_bytes && 8 + i < text.size(); ++i)
    header_length |= static_cast<size_t>(static_cast<unsigned char>(text[8 + i])) << (8 * i);
  if (text.size() < header_begin || text.size() - header_begin < header_length)
    throw UserError(fmt::format("{}: the file ends within its .npy header", path.string()));
  const Header header = HeaderScanner(text.substr(header_begin, header_length), path).scan();

  constexpr size_t most_axes = 64;  // NumPy's limit
  if (header.shape->size() > most_axes)
    throw UserError(
        fmt::format("{}: has {} axes, expected at most {}", path.string(), header.shape->size(), most_axes));
  const auto type = element_type(header.type);
  if (!type)
    throw UserError(fmt::format("{}: holds numbers of type {}, expected integers, floats or bool", path.string(),
                                in_quotes(header.type)));
  const auto expected = tensor_bytes(*header.shape, *type);
  auto data = file.bytes().subspan(header_begin + header_length);
  if (!expected || *expected != data.size())
    throw UserError(fmt::format("{}: holds {} bytes of numbers, but shape {} of type {} needs {}", path.string(),
                                data.size(), shape_text(*header.shape), header.type,
                                expected ? std::to_string(*expected) : "more than there can be"));

  NpyArray array{*header.shape, std::vector<double>(data.size() / element_size(*type))};
  std::vector<std::byte> little_endian;
  if (header.type.starts_with('>')) data = little_endian = in_reverse(data, element_size(*type));
  convert_elements<double>(*type, data.data(), array.values);
  if (*header.fortran_order) array.values = row_major(array.values, array.shape);
  return array;
}

void write_npy(const std::filesystem::path& path, std::string_view type, std::span<const size_t> shape,
               std::span<const std::byte> bytes) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const size_t begin = magic.size() + 4;
  header.append(63 - (begin + header.size()) % 64, ' ') += '\n';
  require(header.size() < 65536, "write_npy", "too many dimensions");
  const char prefix[] = {1, 0, static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  write_file_atomically(path, [&](const WriteBytes& write) {
    write(magic);
    write({prefix, sizeof prefix});
    write(header);
    write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
}

}  // namespace cria
