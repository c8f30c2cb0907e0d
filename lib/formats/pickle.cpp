// A stack machine that builds values and calls nothing.
#include "lib/formats/pickle.hpp"

#include <fmt/format.h>

#include <cstring>

#include "lib/base/check.hpp"

namespace cria {

using Kind = PickleValue::Kind;

class PickleReader {
 public:
  PickleReader(Pickle& pickle, std::span<const std::byte> bytes, const std::function<bool(std::string_view)>& known)
      : pickle_(pickle), bytes_(bytes), known_(known) {}

  void run() {
    while (!pickle_.root_) step(take<std::uint8_t>());
    if (at_ != bytes_.size()) fail(fmt::format("goes on for {} bytes after its end", bytes_.size() - at_));
  }

 private:
  [[noreturn]] static void fail(const std::string& why) { throw UserError("its pickle " + why); }

  std::span<const std::byte> take_bytes(std::uint64_t count) {
    if (count > bytes_.size() - at_) fail("is cut off");
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  template <class Number>
  Number take() {
    Number number;
    std::memcpy(&number, take_bytes(sizeof number).data(), sizeof number);
    return number;
  }
  std::string take_text(std::uint64_t count) {
    const auto bytes = take_bytes(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string take_line() {
    std::string line;
    for (char c; (c = take<char>()) != '\n';) line += c;
    return line;
  }

  // An opcode makes at most one value and takes at least one byte, so the file bounds how many there are.
  void push(Kind kind, std::int64_t number = 0, std::string text = {}, std::vector<const PickleValue*> items = {}) {
    stack_.push_back(&pickle_.values_.emplace_back(PickleValue{kind, number, std::move(text), std::move(items)}));
  }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleValue* pop() {
    if (stack_.size() <= floor()) fail("takes from an empty stack");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  std::vector<const PickleValue*> pop_to_mark() {
    if (marks_.empty()) fail("has no mark where it needs one");
    std::vector<const PickleValue*> items(stack_.begin() + std::ptrdiff_t(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  void push_sequence(size_t count) {
    std::vector<const PickleValue*> items(count);
    while (count > 0) items[--count] = pop();
    push(Kind::sequence, 0, {}, std::move(items));
  }
  // Adds to the dictionary or list on top.
  void extend(Kind kind, const std::vector<const PickleValue*>& items) {
    PickleValue* to = pop();
    if (to->kind != kind || (kind == Kind::dictionary && items.size() % 2 != 0))
      fail("adds to what cannot be added to");
    to->items.insert(to->items.end(), items.begin(), items.end());
    stack_.push_back(to);
  }
  void memoise(std::uint32_t place) {
    if (place > memo_.size()) fail("numbers its values out of order");  // Python counts from 0, one at a time
    PickleValue* value = pop();
    stack_.push_back(value);
    if (place == memo_.size()) memo_.emplace_back();
    memo_[place] = value;
  }
  void recall(std::uint32_t place) {
    if (place >= memo_.size()) fail("refers to a value that is not there");
    stack_.push_back(memo_[place]);
  }
  void push_name() {
    const std::string module = take_line(), name = take_line(), whole = module + "." + name;
    if (!known_(whole)) fail(fmt::format("names {}, which no tensor file needs", whole.substr(0, 80)));
    push(Kind::name, 0, whole);
  }
  void reduce() {
    const PickleValue *arguments = pop(), *function = pop();
    if (function->kind != Kind::name || arguments->kind != Kind::sequence) fail("calls what is no function");
    if (function->text == "collections.OrderedDict" && arguments->items.empty())
      push(Kind::dictionary);
    else
      push(Kind::call, 0, {}, {function, arguments});
  }
  std::int64_t take_long() {
    const auto bytes = take_bytes(take<std::uint8_t>());
    if (bytes.size() > 8) fail("has a number of more than 64 bits");
    std::uint64_t value = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0} ? ~std::uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    return static_cast<std::int64_t>(value);
  }

  void step(std::uint8_t opcode) {
    switch (opcode) {
      case 0x80:  // PROTO
        if (const auto version = take<std::uint8_t>(); version != 2)
          fail(fmt::format("has protocol {}, expected 2", version));
        return;
      case '}':
        return push(Kind::dictionary);
      case ')':
      case ']':
        return push(Kind::sequence);
      case '(':
        return marks_.push_back(stack_.size());
      case 'X':  // BINUNICODE
        return push(Kind::text, 0, take_text(take<std::uint32_t>()));
      case 'q':  // BINPUT
        return memoise(take<std::uint8_t>());
      case 'r':
        return memoise(take<std::uint32_t>());
      case 'h':  // BINGET
        return recall(take<std::uint8_t>());
      case 'j':
        return recall(take<std::uint32_t>());
      case 'c':  // GLOBAL
        return push_name();
      case 'Q':  // BINPERSID
        return push(Kind::outside, 0, {}, {pop()});
      case 'J':  // BININT
        return push(Kind::whole, take<std::int32_t>());
      case 'K':
        return push(Kind::whole, take<std::uint8_t>());
      case 'M':
        return push(Kind::whole, take<std::uint16_t>());
      case 0x8a:  // LONG1
        return push(Kind::whole, take_long());
      case 't':
        return push(Kind::sequence, 0, {}, pop_to_mark());
      case 0x85:  // TUPLE1, 2, 3
      case 0x86:
      case 0x87:
        return push_sequence(opcode - 0x84);
      case 0x88:
      case 0x89:
        return push(Kind::boolean, opcode == 0x88);
      case 'N':
        return push(Kind::none);
      case 'R':
        return reduce();
      case 's': {  // SETITEM
        const PickleValue *value = pop(), *key = pop();
        return extend(Kind::dictionary, {key, value});
      }
      case 'u':
        return extend(Kind::dictionary, pop_to_mark());
      case 'a': {  // APPEND
        const PickleValue* value = pop();
        return extend(Kind::sequence, {value});
      }
      case 'e':
        return extend(Kind::sequence, pop_to_mark());
      case 'b':  // BUILD: a dictionary's attributes, such as a state_dict's _metadata, are no tensors
        pop();
        return;
      case '.':
        pickle_.root_ = pop();
        return;
      default:
        fail(fmt::format("has the opcode 0x{:02x}, which no tensor file needs", opcode));
    }
  }

  Pickle& pickle_;
  std::span<const std::byte> bytes_;
  const std::function<bool(std::string_view)>& known_;
  size_t at_ = 0;
  std::vector<PickleValue*> stack_, memo_;
  std::vector<size_t> marks_;  // sizes of the stack
};

Pickle::Pickle(std::span<const std::byte> bytes, const std::function<bool(std::string_view)>& known) {
  constexpr size_t longest = 2 << 20;  // some ten times what the largest Llama needs; a byte may become 90 in memory
  if (bytes.size() > longest)
    throw UserError(fmt::format("its pickle has {} bytes, expected at most {}", bytes.size(), longest));
  PickleReader(*this, bytes, known).run();
}

}  // namespace cria
