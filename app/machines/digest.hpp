// A few digits that stand for many values, to see whether two processes have the same ones.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/09-sampling/continuation.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "lib/base/fingerprint.hpp"

namespace cria {

/// The fingerprint of values, one after the other. It finds what differs by accident, not by intent.
class Digest {
 public:
  Digest& add(std::string_view bytes) {
    hash_ = fingerprint(bytes, hash_);
    return add(bytes.size());  // where one text ends and the next begins
  }
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) Digest& add(T value) {
    hash_ = fingerprint_of(std::span(&value, 1), hash_);
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
  std::uint64_t hash_ = fingerprint_start;
};

/// Of the configuration, the tokens at both ends of a text, the types of the weights, and the norms: other weights have
/// other ones, and they are soon read.
Digest digest_of(const PackedModel& model);
/// Of how a text becomes tokens, and these a text.
Digest digest_of(const BpeModel& tokenizer);
/// Without the constraint.
Digest digest_of(const GenerationOptions& options);

}  // namespace cria
