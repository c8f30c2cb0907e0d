// Values of GGUF's metadata: their sizes, and what they hold.
#include <cmath>

#include "lib/formats/gguf_cursor.hpp"

namespace cria {
namespace {

template <class Number>
Number load(const std::byte* from) {
  Number value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Any number as double; whole numbers beyond 2^53 round.
std::optional<double> as_double(GgufType type, const std::byte* from) {
  switch (type) {
    case GgufType::u8:
      return load<std::uint8_t>(from);
    case GgufType::i8:
      return load<std::int8_t>(from);
    case GgufType::u16:
      return load<std::uint16_t>(from);
    case GgufType::i16:
      return load<std::int16_t>(from);
    case GgufType::u32:
      return load<std::uint32_t>(from);
    case GgufType::i32:
      return load<std::int32_t>(from);
    case GgufType::u64:
      return static_cast<double>(load<std::uint64_t>(from));
    case GgufType::i64:
      return static_cast<double>(load<std::int64_t>(from));
    case GgufType::f32:
      return load<float>(from);
    case GgufType::f64:
      return load<double>(from);
    default:
      return std::nullopt;
  }
}

std::string_view text_at(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()) + sizeof(std::uint64_t), load<std::uint64_t>(bytes.data())};
}

}  // namespace

std::optional<size_t> gguf_size(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    default:
      return std::nullopt;
  }
}

std::span<const std::byte> GgufCursor::skip(GgufType type, std::uint64_t count, const std::string& key) {
  const std::string what = "the value of key " + in_quotes(key);
  const size_t begin = at_;
  if (const auto size = gguf_size(type)) {
    std::uint64_t bytes;
    if (__builtin_mul_overflow(count, *size, &bytes)) fail("{} is longer than any file", what);
    take(bytes, what);
    if (type == GgufType::boolean)
      for (const std::byte truth : file_.subspan(begin, bytes))
        if (truth > std::byte{1}) fail("{} is no truth, expected 0 or 1", what);
  } else {
    for (std::uint64_t i = 0; i < count; ++i) text(what);
  }
  return file_.subspan(begin, at_ - begin);
}

std::optional<std::uint64_t> GgufValue::whole() const {
  const auto value = number();
  if (type_ == GgufType::u64) return load<std::uint64_t>(bytes_.data());
  if (!value || type_ == GgufType::f32 || type_ == GgufType::f64 || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::optional<double> GgufValue::number() const {
  return type_ == GgufType::array ? std::nullopt : as_double(type_, bytes_.data());
}

std::optional<bool> GgufValue::truth() const {
  return type_ == GgufType::boolean ? std::optional(bytes_[0] != std::byte{0}) : std::nullopt;
}

std::optional<std::string_view> GgufValue::text() const {
  return type_ == GgufType::text ? std::optional(text_at(bytes_)) : std::nullopt;
}

std::optional<std::vector<std::string_view>> GgufValue::texts() const {
  if (type_ != GgufType::array || element_ != GgufType::text) return std::nullopt;
  std::vector<std::string_view> out;
  out.reserve(count_);  // each has at least the 8 bytes of its length, so the file bounds this
  for (auto rest = bytes_; !rest.empty(); rest = rest.subspan(sizeof(std::uint64_t) + out.back().size()))
    out.push_back(text_at(rest));
  return out;
}

std::optional<std::vector<double>> GgufValue::numbers() const {
  const auto size = gguf_size(element_);
  if (type_ != GgufType::array || !size || element_ == GgufType::boolean) return std::nullopt;
  std::vector<double> out(count_);
  for (size_t i = 0; i < count_; ++i) out[i] = *as_double(element_, bytes_.data() + i * *size);
  return out;
}

}  // namespace cria
