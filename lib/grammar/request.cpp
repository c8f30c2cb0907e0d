#include "lib/grammar/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lib/base/check.hpp"
#include "lib/base/fingerprint.hpp"
#include "lib/grammar/slots.hpp"

namespace cria {
namespace {

constexpr int most_draws = 10000;
constexpr std::uint64_t held_out_of = 16;

const std::string& any_of(const std::vector<std::string>& wordings, Random& random) {
  return wordings[random.below(static_cast<std::uint32_t>(wordings.size()))];
}

std::string filled(const std::string& wording, const std::string& value) {
  std::string text = wording;
  return text.replace(text.find("{}"), 2, value);
}

}  // namespace

bool is_held_out(const Grammar& grammar, std::span<const Asked> asked) {
  std::vector<std::string> values;
  for (const Asked& one : asked) values.push_back(grammar.slots[one.slot].name + "=" + one.value + "\n");
  std::ranges::sort(values);
  for (size_t i = 0; i < values.size(); ++i)
    for (size_t j = i + 1; j < values.size(); ++j)
      if ((fingerprint(values[i] + values[j]) >> 32) % held_out_of == 0) return true;
  return false;
}

RequestSource::RequestSource(const Grammar& grammar) : grammar_(grammar), probability_(grammar) {
  if (grammar.slots.empty()) throw UserError("the grammar has no requests: expected `request` and `slot` sections");
}

RequestedStory RequestSource::draw(Random& random, Combinations combinations) const {
  for (int i = 0; i < most_draws; ++i) {
    RequestedStory drawn;
    drawn.story = generate(grammar_, random);
    std::vector<std::uint32_t> slots(grammar_.slots.size());
    std::iota(slots.begin(), slots.end(), 0);
    const size_t count = 1 + random.below(static_cast<std::uint32_t>(std::min(most_asked, slots.size())));
    for (size_t k = 0; k < count; ++k) {
      std::swap(slots[k], slots[k + random.below(static_cast<std::uint32_t>(slots.size() - k))]);
      drawn.request.asked.push_back(value_in(drawn.story, slots[k]));
    }
    if (is_held_out(grammar_, drawn.request.asked) != (combinations == Combinations::held_out)) continue;
    drawn.request.text = words(drawn.request.asked, random);
    drawn.log2_probability = log2_given(drawn.story.log2_probability, drawn.request.asked);
    return drawn;
  }
  throw UserError(fmt::format("of {} requests drawn from the grammar, {} combination of slots is held out", most_draws,
                              combinations == Combinations::held_out ? "no" : "every"));
}

Asked RequestSource::value_in(const Story& story, std::uint32_t slot) const {
  return {slot, slot_value(grammar_, grammar_.slots[slot], story.rows, story.sentences).value()};
}

std::string RequestSource::words(std::span<const Asked> asked, Random& random) const {
  std::string list;
  for (size_t i = 0; i < asked.size(); ++i) {
    if (i > 0) list += i + 1 == asked.size() ? " and " : ", ";
    list += filled(any_of(grammar_.slots[asked[i].slot].wordings, random), asked[i].value);
  }
  return filled(any_of(grammar_.requests, random), list);
}

}  // namespace cria
