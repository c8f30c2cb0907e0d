// A few digits that stand for many values, to see whether two processes have the same ones.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/09-sampling/continuation.hpp"
#include "chapters/12-open-weights/packed_model.hpp"

namespace cria {

/// FNV-1a over values, one after the other. It finds what differs by accident, not by intent.
class Digest {
 public:
  Digest& add(std::string_view bytes) {
    mix(bytes);
    return add(bytes.size());  // where one text ends and the next begins
  }
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) Digest& add(T value) {
    mix({reinterpret_cast<const char*>(&value), sizeof(value)});
    return *this;
  }
  template <class Values>
  requires(!std::is_convertible_v<Values, std::string_view> &&
           requires(const Values& values) { values.begin(); }) Digest& add(const Values& values) {
    size_t count = 0;
    for (const auto& value : values) add(value), ++count;
    return add(count);
  }

  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  void mix(std::string_view bytes) {
    for (const char c : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }

  std::uint64_t hash_ = 14695981039346656037u;
};

/// Of the configuration, the tokens at both ends of a text, the types of the weights, and the norms: other weights have
/// other ones, and they are soon read.
Digest digest_of(const PackedModel& model);
/// Of how a text becomes tokens, and these a text.
Digest digest_of(const BpeModel& tokenizer);
/// Without the constraint.
Digest digest_of(const GenerationOptions& options);

}  // namespace cria
