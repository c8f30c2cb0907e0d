// Python's pickle format as plain data (the opcodes of protocol 2; Python's Lib/pickletools.py describes them).
//
// A pickle is a program that may call anything. Here nothing is ever called: a call is noted as the name of a function
// and its arguments, and a name that is not on the reader's list ends the reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

struct PickleValue {
  enum class Kind {
    none,
    boolean,     // number is 0 or 1
    whole,       // number
    text,        // text
    sequence,    // items: of a tuple or list
    dictionary,  // items: key, value, key, value, …
    name,        // text: "module.name" of a class or function
    outside,     // items: the one value that says which object outside of the pickle is meant
    call,        // items: the name of what would be called, and a sequence of its arguments
  };
  Kind kind = Kind::none;
  std::int64_t number = 0;
  std::string text;
  std::vector<const PickleValue*> items;
};

/// Reads a pickle and keeps its values.
class Pickle {
 public:
  /// `known` says which names may occur. Throws UserError with the reason: a name that is not known, an opcode that
  /// tensor files do not need, or damage.
  Pickle(std::span<const std::byte> bytes, const std::function<bool(std::string_view)>& known);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return *root_; }

 private:
  friend class PickleReader;
  std::deque<PickleValue> values_;  // they refer to each other, in circles too if the pickle says so
  const PickleValue* root_ = nullptr;
};

}  // namespace cria
