// GgufCursor: walks through the bytes of a GGUF file, every step checked against the file's end.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/check.hpp"
#include "lib/formats/gguf.hpp"

namespace cria {

/// Bytes of one value, or nothing for texts and arrays, whose size is stored with them.
std::optional<size_t> gguf_size(GgufType type);

class GgufCursor {
 public:
  GgufCursor(const std::filesystem::path& path, std::span<const std::byte> file) : path_(path), file_(file) {}

  template <class... Arguments>
  [[noreturn]] void fail(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    throw UserError(fmt::format("{}: {}", path_.string(), fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

  std::span<const std::byte> take(std::uint64_t bytes, std::string_view what) {
    if (bytes > file_.size() - at_) fail("the file ends within {} (is it cut off?)", what);
    at_ += bytes;
    return file_.subspan(at_ - bytes, bytes);
  }

  template <class Number>
  Number number(std::string_view what) {
    Number value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  std::string_view text(std::string_view what) {
    const auto bytes = take(number<std::uint64_t>(what), what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  GgufType type(std::string_view key) {
    const auto type = number<std::uint32_t>("a type");
    if (type > static_cast<std::uint32_t>(GgufType::f64)) fail("key {} has the unknown type {}", in_quotes(key), type);
    return static_cast<GgufType>(type);
  }

  bool at_end() const { return at_ == file_.size(); }

  /// The bytes of `count` values, checked to be whole.
  std::span<const std::byte> skip(GgufType type, std::uint64_t count, const std::string& key);

  /// What follows from the next multiple of the alignment on.
  std::span<const std::byte> aligned_rest(std::uint64_t alignment) const {
    return file_.subspan(std::min(file_.size(), (at_ + alignment - 1) / alignment * alignment));
  }

 private:
  const std::filesystem::path& path_;
  std::span<const std::byte> file_;
  size_t at_ = 0;
};

}  // namespace cria
