#include <fmt/format.h>

#include <utility>

#include "lib/jinja/interpreter.hpp"

namespace cria::jinja {

Loop::Loop(std::shared_ptr<const Sequence> items, Condition condition)
    : items_(std::move(items)), condition_(std::move(condition)) {}

bool Loop::peek() {
  while (!after_ && at_ < items_->items.size()) {
    const Value& item = items_->items[at_++];
    if (!condition_ || condition_(item)) after_ = item;
  }
  return after_.has_value();
}

bool Loop::advance() {
  if (!peek()) return false;
  before_ = std::exchange(current_, *std::exchange(after_, std::nullopt));
  ++index_;
  return true;
}

/// Asks the condition of all items that are left.
std::int64_t Loop::length() {
  if (length_) return *length_;
  if (condition_) {
    auto kept = std::make_shared<Sequence>();
    for (; at_ < items_->items.size(); ++at_)
      if (condition_(items_->items[at_])) kept->items.push_back(items_->items[at_]);
    length_ = index_ + 1 + after_.has_value() + static_cast<std::int64_t>(kept->items.size());
    items_ = std::move(kept);
    condition_ = nullptr;
    at_ = 0;
  } else {
    length_ = static_cast<std::int64_t>(items_->items.size());
  }
  return *length_;
}

Value Loop::attribute(std::string_view name, Budget& budget) {
  budget.step();
  if (name == "index") return Value::integer(index_ + 1);
  if (name == "index0") return Value::integer(index_);
  if (name == "first") return Value::boolean(index_ == 0);
  if (name == "last") return Value::boolean(!peek());
  if (name == "length") return Value::integer(length());
  if (name == "revindex") return Value::integer(length() - index_);
  if (name == "revindex0") return Value::integer(length() - index_ - 1);
  if (name == "depth") return Value::integer(1);
  if (name == "depth0") return Value::integer(0);
  if (name == "previtem") return index_ > 0 ? before_ : Value::undefined("there is no previous item");
  if (name == "nextitem") return peek() ? *after_ : Value::undefined("there is no next item");
  throw Failure(fmt::format("`loop.{:.60}` is not supported", name));
}

Value Loop::cycle(const std::vector<Value>& values) const {
  if (values.empty()) throw Failure("no items for cycling given");
  return values[static_cast<std::size_t>(index_) % values.size()];
}

}  // namespace cria::jinja
