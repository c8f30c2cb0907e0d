#include "lib/jinja/template.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"
#include "lib/jinja/interpreter.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

/// On one line and in UTF-8, whatever the template has put into it.
[[noreturn]] void refuse(const Failure& failure) {
  const std::string_view text = failure.what();
  std::string message;
  for (std::size_t at = 0; at < text.size(); at += character_at(text, at).size()) {
    const std::uint32_t code_point = code_point_of(character_at(text, at));
    append_code_point(message, code_point < ' ' ? ' ' : code_point);
  }
  if (failure.line == 0) throw UserError("the template: " + message);
  throw UserError(fmt::format("line {} of the template: {}", failure.line, message));
}

}  // namespace

Template::Template(const std::string& source) {
  if (source.size() > longest_source)
    throw UserError(fmt::format("the template has {} bytes, more than {}", source.size(), longest_source));
  try {
    block_ = std::make_unique<const Block>(parse(source));
  } catch (const Failure& failure) {
    refuse(failure);
  }
}

Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

std::string Template::render(const nlohmann::ordered_json& variables, const std::optional<std::tm>& now) const {
  require(variables.is_object(), "Template::render", "the variables must be an object");
  try {
    return Interpreter(variables, now).run(*block_);
  } catch (const Failure& failure) {
    refuse(failure);
  }
}

}  // namespace cria::jinja
