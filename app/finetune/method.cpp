#include "app/finetune/method.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/command_name.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

struct Entry {
  const char *name, *help;
  std::unique_ptr<TuningMethod> (*make)();
};

constexpr Entry entries[] = {
    {"sft", "from conversations, by the loss of the answers", sft_method},
    {"lora", "the same, but of each matrix only a change of low rank is learned: an adapter", lora_method},
    {"adapter", "the same, but of learned vectors that attention sees beside the text (LLaMA-Adapter)", adapter_method},
    {"reward", "from pairs of answers: a model that says how good an answer is", reward_method},
    {"rejection", "from its own answers, the best of several to each request", rejection_method},
    {"dpo", "from pairs of answers, of which one is better", dpo_method},
    {"ppo", "from rewards of its own answers, with a critic", ppo_method},
    {"grpo", "from rewards of its own answers, each against others to the same request", grpo_method},
};

}  // namespace

std::unique_ptr<TuningMethod> find_method(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Entry& entry : entries) {
    if (name == entry.name) return entry.make();
    names.push_back(entry.name);
  }
  throw UserError(fmt::format("--method is {}, expected one of {}", in_quotes(name), fmt::join(names, ", ")));
}

std::string method_help() {
  std::string text;
  for (const Entry& entry : entries) text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", entry.name, entry.help);
  return text;
}

std::string TuningMethod::hint(const std::string&, const std::string& folder) const {
  return fmt::format("chat {}", quoted_for_shell(folder));
}

}  // namespace cria
