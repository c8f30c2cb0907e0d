// Escaping and highlighting. The highlighter knows words, not grammar: enough for colours. Leaves out raw strings and
// comments over several lines.
#include "app/book/html.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace cria::book {
namespace {

constexpr auto keywords = std::to_array<std::string_view>(
    {"alignas",   "auto",     "bool",          "break",       "case",     "char",    "class",    "const",
     "constexpr", "continue", "default",       "delete",      "do",       "double",  "else",     "enum",
     "explicit",  "extern",   "false",         "float",       "for",      "friend",  "if",       "inline",
     "int",       "mutable",  "namespace",     "new",         "noexcept", "nullptr", "operator", "override",
     "private",   "public",   "real",          "requires",    "return",   "short",   "signed",   "size_t",
     "sizeof",    "static",   "static_assert", "static_cast", "struct",   "switch",  "template", "this",
     "throw",     "true",     "typename",      "unsigned",    "using",    "virtual", "void",     "while"});

static_assert(std::ranges::is_sorted(keywords));

std::string span(std::string_view kind, std::string_view text) {
  return "<span class=\"" + std::string(kind) + "\">" + escape(text) + "</span>";
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// The end of what begins at `begin` and reaches to the closing quote, a backslash protecting the character after it.
size_t end_of_quote(std::string_view line, size_t begin) {
  for (size_t i = begin + 1; i < line.size(); ++i) {
    if (line[i] == '\\')
      ++i;
    else if (line[i] == line[begin])
      return i + 1;
  }
  return line.size();
}

std::string highlight_cpp(std::string_view line) {
  if (line.starts_with('#')) return span("directive", line);
  std::string out;
  for (size_t i = 0, end; i < line.size(); i = end) {
    end = i + 1;
    if (line.substr(i).starts_with("//")) {
      end = line.size();
      out += span("comment", line.substr(i));
    } else if (line[i] == '"' || line[i] == '\'') {
      end = end_of_quote(line, i);
      out += span("string", line.substr(i, end - i));
    } else if (is_word(line[i])) {
      // A number may have ' between its digits.
      while (end < line.size() && (is_word(line[end]) || (line[end] == '\'' && std::isdigit(line[i])))) ++end;
      const std::string_view word = line.substr(i, end - i);
      out += std::ranges::binary_search(keywords, word) ? span("keyword", word) : escape(word);
    } else {
      out += escape(line.substr(i, 1));
    }
  }
  return out;
}

std::string highlight_diff(std::string_view line) {
  if (line.starts_with("@@") || line.starts_with("---") || line.starts_with("+++")) return span("comment", line);
  if (line.starts_with('+')) return span("added", line);
  if (line.starts_with('-')) return span("removed", line);
  return escape(line);
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string highlight(std::string_view code, std::string_view language) {
  std::string out;
  for (size_t begin = 0; begin < code.size();) {
    const size_t end = std::min(code.find('\n', begin), code.size());
    const std::string_view line = code.substr(begin, end - begin);
    out += language == "cpp" ? highlight_cpp(line) : language == "diff" ? highlight_diff(line) : escape(line);
    if (end < code.size()) out += '\n';
    begin = end + 1;
  }
  return out;
}

}  // namespace cria::book
