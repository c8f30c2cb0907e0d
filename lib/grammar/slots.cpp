// A slot's value is a text of threads, whose fields may mention threads again; check_slots() sees that every story
// mentions all of them, so that a request can ask for any slot of any story.
#include "lib/grammar/slots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lib/base/check.hpp"

namespace cria {
namespace {

constexpr size_t most_slots = 16;

bool is_text(const Symbol& symbol) { return symbol.kind == Symbol::Kind::text; }

/// Appends what the sequence gives; returns a thread that it needs and that is not drawn.
std::optional<std::uint32_t> append(const Grammar& grammar, const Sequence& sequence, const DrawnRows& rows,
                                    std::string& text) {
  for (const Symbol& symbol : sequence) {
    if (is_text(symbol)) {
      text += symbol.text;
      continue;
    }
    const Row* row = rows[symbol.index];
    if (!row) return symbol.index;
    if (const auto missing = append(grammar, row->fields[symbol.field], rows, text)) return missing;
  }
  return std::nullopt;
}

class SlotChecker {
 public:
  SlotChecker(const Grammar& grammar, const Slot& slot) : grammar_(grammar), slot_(slot) {}

  void run() const {
    if (slot_.wordings.empty()) fail("has no wording");
    for (const Symbol& symbol : slot_.value) {
      if (is_text(symbol)) continue;
      require_fixed(symbol);
      // A field of plain text is settled by any mention of its thread, another by one of the field.
      const bool plain = std::ranges::all_of(grammar_.threads[symbol.index].rows, [&](const Row& row) {
        return std::ranges::all_of(row.fields[symbol.field], is_text);
      });
      Mentions known;
      if (!every_story_mentions(symbol, plain, rule(grammar_.start), known))
        fail(fmt::format("asks for {{{}.{}}}, which not every story mentions", grammar_.threads[symbol.index].name,
                         grammar_.threads[symbol.index].fields[symbol.field]));
    }
  }

 private:
  using Mentions = std::map<std::pair<bool, std::uint64_t>, bool>;  // by rule, or by thread and field

  [[noreturn]] void fail(const std::string& message) const {
    throw UserError(fmt::format("{}: slot {} {}", slot_.place, slot_.name, message));
  }

  static Symbol rule(std::uint32_t index) { return {.kind = Symbol::Kind::rule, .index = index, .text = {}}; }

  void require_fixed(const Symbol& symbol) const {
    if (is_text(symbol)) return;
    if (symbol.kind == Symbol::Kind::rule) fail("has a choice in its value: expected text and {list.field} only");
    for (const Row& row : grammar_.threads[symbol.index].rows)
      for (const Symbol& part : row.fields[symbol.field]) require_fixed(part);
  }

  bool every_story_mentions(const Symbol& wanted, bool in_any_field, const Symbol& by, Mentions& known) const {
    if (is_text(by)) return false;
    const bool is_thread = by.kind == Symbol::Kind::thread;
    if (is_thread && by.index == wanted.index && (in_any_field || by.field == wanted.field)) return true;
    const std::uint64_t place = std::uint64_t{by.index} << 32 | by.field;
    if (const auto found = known.find({is_thread, place}); found != known.end()) return found->second;
    const auto mentioned = [&](const Sequence& sequence) {
      return std::ranges::any_of(
          sequence, [&](const Symbol& part) { return every_story_mentions(wanted, in_any_field, part, known); });
    };
    const bool result =
        is_thread ? std::ranges::all_of(grammar_.threads[by.index].rows,
                                        [&](const Row& row) { return mentioned(row.fields[by.field]); })
                  : std::ranges::all_of(grammar_.rules[by.index].alternatives, [&](const Alternative& alternative) {
                      return mentioned(alternative.sequence);
                    });
    return known[{is_thread, place}] = result;
  }

  const Grammar& grammar_;
  const Slot& slot_;
};

}  // namespace

std::optional<std::string> slot_value(const Grammar& grammar, const Slot& slot, const DrawnRows& rows,
                                      size_t sentences) {
  if (slot.value.empty()) return fmt::format("{}", sentences);
  std::string text;
  if (append(grammar, slot.value, rows, text)) return std::nullopt;
  return text;
}

std::optional<std::uint32_t> missing_thread(const Grammar& grammar, const Slot& slot, const DrawnRows& rows) {
  std::string text;
  return append(grammar, slot.value, rows, text);
}

void check_slots(const Grammar& grammar, const std::string& file) {
  if (grammar.slots.empty() != grammar.requests.empty())
    throw UserError(fmt::format("{}: expected both `slot` and `request`, or neither", file));
  if (grammar.slots.size() > most_slots) throw UserError(fmt::format("{}: more than {} slots", file, most_slots));
  for (const Slot& slot : grammar.slots) SlotChecker(grammar, slot).run();
}

}  // namespace cria
