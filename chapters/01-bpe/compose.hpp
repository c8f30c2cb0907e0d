// Unicode's composed form, NFC (Unicode Standard Annex 15): "e" and a combining accent become "é". Of all forms of a
// text that look the same, a model then sees one.
#pragma once

#include <string>
#include <string_view>

namespace cria {

/// The text in NFC. Bytes that are not UTF-8 stay as they are.
std::string compose(std::string_view text);

}  // namespace cria
