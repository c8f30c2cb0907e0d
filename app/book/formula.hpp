// Formulas in TeX as MathML, which browsers show without scripts or fonts of ours.
#pragma once

#include <string>

namespace cria::book {

/// `display`: a formula on a line of its own. Runs blahtexml (Debian's package of that name).
/// Throws UserError when it is not installed, or does not understand the formula.
std::string formula(const std::string& tex, bool display);

}  // namespace cria::book
