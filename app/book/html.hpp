// Small things that all writers of HTML here need.
#pragma once

#include <string>
#include <string_view>

namespace cria::book {

/// With &, <, > and " as entities, fit for text and for attributes in quotes.
std::string escape(std::string_view text);

/// The code as HTML; comments, strings, keywords and preprocessor lines of C++ ("cpp"), and added and removed lines of
/// "diff", stand in <span>s. Other languages are escaped only.
std::string highlight(std::string_view code, std::string_view language);

}  // namespace cria::book
