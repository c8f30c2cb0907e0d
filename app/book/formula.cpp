#include "app/book/formula.hpp"

#include <fmt/format.h>

#include "app/learn/process.hpp"
#include "lib/base/check.hpp"

namespace cria::book {
namespace {

constexpr int missing = 3;  // what the shell says when there is no such program

/// What stands between the tags of this name; empty when there are none.
std::string content(const std::string& xml, const std::string& tag) {
  const size_t begin = xml.find("<" + tag + ">"), end = xml.find("</" + tag + ">");
  if (begin == xml.npos || end == xml.npos) return "";
  return xml.substr(begin + tag.size() + 2, end - begin - tag.size() - 2);
}

/// blahtexml writes a minus as the hyphen of the keyboard, and browsers draw it as one.
std::string with_minus_signs(std::string math) {
  const std::string hyphen = ">-</mo>", minus = ">−</mo>";
  for (size_t at = 0; (at = math.find(hyphen, at)) != math.npos; at += minus.size())
    math.replace(at, hyphen.size(), minus);
  return math;
}

}  // namespace

std::string formula(const std::string& tex, bool display) {
  // The version 1 fonts are those for which Unicode has letters (ℝ); browsers ignore the attributes of version 2.
  const std::string program = fmt::format("blahtexml --mathml --mathml-version-1-fonts --mathml-encoding raw{}",
                                          display ? " --displaymath" : "");
  const learn::ProcessResult run = learn::run_process(
      {"sh", "-c", fmt::format("command -v blahtexml >/dev/null || exit {}; printf %s \"$1\" | {}", missing, program),
       "sh", tex});
  if (run.exit_code == missing)
    throw UserError("formulas need blahtexml (Debian's package blahtexml), which is not installed");
  const std::string math = with_minus_signs(content(run.output, "markup"));
  if (math.empty())
    throw UserError(fmt::format("the formula {} is not understood: {}", tex, content(run.output, "message")));
  return display ? fmt::format("<div class=\"wide formula\"><math display=\"block\">{}</math></div>", math)
                 : fmt::format("<math>{}</math>", math);
}

}  // namespace cria::book
