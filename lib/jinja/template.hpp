// Chat templates: a small interpreter for the Jinja that models of the Llama family are published with.
//
// Renders as transformers does (ImmutableSandboxedEnvironment, trim_blocks, lstrip_blocks, loop controls), and refuses
// by name what it does not know. docs/decisions/0011-jinja.md says what it leaves out. Templates come from strangers:
// their size, depth, steps, memory and output are bounded (budget.hpp).
#pragma once

#include <ctime>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cria::jinja {

struct Statement;

class Template {
 public:
  /// Throws UserError "line N of the template: …" for what is malformed, too large or not supported.
  explicit Template(const std::string& source);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  /// The text of the template with these variables, an object. `now` is the time that strftime_now tells; without it
  /// the function is undefined, and templates that ask take their own date. Throws UserError "line N of the template:
  /// …", and one with the template's own words where it calls raise_exception. May be called from several threads.
  std::string render(const nlohmann::ordered_json& variables, const std::optional<std::tm>& now = {}) const;

 private:
  std::unique_ptr<const std::vector<Statement>> block_;
};

}  // namespace cria::jinja
