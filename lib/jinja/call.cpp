#include "lib/jinja/call.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cria::jinja {

void Call::take(std::initializer_list<std::string_view> names, std::size_t required) {
  if (positional.size() > names.size())
    throw Failure(fmt::format("`{}` takes at most {} arguments here, not {}", name, names.size(), positional.size()));
  taken.assign(names.size(), nullptr);
  for (std::size_t i = 0; i < positional.size(); ++i) taken[i] = &positional[i];
  for (const auto& [keyword, value] : named) {
    const auto place = static_cast<std::size_t>(std::ranges::find(names, keyword) - names.begin());
    if (place == names.size())
      throw Failure(fmt::format("`{}` with the argument `{:.60}` is not supported", name, keyword));
    if (taken[place]) throw Failure(fmt::format("`{}` has two values for `{}`", name, keyword));
    taken[place] = &value;
  }
  for (std::size_t i = 0; i < required; ++i)
    if (!taken[i]) throw Failure(fmt::format("`{}` needs the argument `{}`", name, *(names.begin() + i)));
}

std::int64_t Call::integer(std::size_t index, std::int64_t otherwise) const {
  if (!has(index)) return otherwise;
  if (const bool* boolean = std::get_if<bool>(&taken[index]->data)) return *boolean;
  if (const std::int64_t* integer = taken[index]->as_integer()) return *integer;
  throw Failure(fmt::format("`{}` needs a whole number, not '{}'", name, type_name(*taken[index])));
}

const std::string& Call::text(std::size_t index) const {
  if (const std::string* text = taken[index]->as_text()) return *text;
  throw Failure(fmt::format("`{}` needs a text, not '{}'", name, type_name(*taken[index])));
}

const std::string* Call::optional_text(std::size_t index) const {
  return has(index) && !taken[index]->is_none() ? &text(index) : nullptr;
}

Native find_filter(std::string_view name) {
  const Native filter = find_text_filter(name);
  return filter ? filter : find_list_filter(name);
}

}  // namespace cria::jinja
