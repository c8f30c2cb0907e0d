// The tags are those of md4c's own HTML renderer. What is different: headings have anchors, wide things can be
// scrolled, links and images are asked for, code is highlighted, formulas are MathML, and the text is kept for the
// search.
#include "app/book/markdown.hpp"

#include <fmt/format.h>
#include <md4c.h>

#include <algorithm>
#include <cctype>
#include <exception>

#include "app/book/formula.hpp"
#include "app/book/html.hpp"
#include "lib/base/check.hpp"

namespace cria::book {
namespace {

std::string text_of(const MD_ATTRIBUTE& attribute) { return {attribute.text, attribute.size}; }

class Renderer {
 public:
  explicit Renderer(const Surroundings& surroundings) : surroundings_(surroundings) {}

  void enter_block(MD_BLOCKTYPE type, void* detail);
  void leave_block(MD_BLOCKTYPE type, void* detail);
  void enter_span(MD_SPANTYPE type, void* detail);
  void leave_span(MD_SPANTYPE type, void* detail);
  void text(MD_TEXTTYPE type, const char* characters, MD_SIZE size);

  Page page;
  std::exception_ptr error;

 private:
  void put(std::string_view html) { page.html += html; }
  void keep(std::string_view text);
  void leave_heading(int level);
  void html_line(std::string_view line);
  std::string anchor(const std::string& heading) const;

  const Surroundings& surroundings_;
  size_t heading_begin_ = 0;  // where its HTML begins
  std::string heading_;       // its text
  bool in_heading_ = false;
  std::string code_, formula_;  // what is collected until it ends
  bool in_code_block_ = false;
  int images_ = 0;  // within how many images: their text has no tags
};

void Renderer::keep(std::string_view text) {
  if (in_heading_)
    heading_ += text;
  else if (!page.sections.empty())
    page.sections.back().text += text;
}

/// As GitHub does it: small letters, spaces as hyphens, no punctuation, a number after a name that was there before.
std::string Renderer::anchor(const std::string& heading) const {
  std::string id;
  for (const char c : heading) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || u >= 0x80 || c == '-' || c == '_') id += static_cast<char>(u < 0x80 ? std::tolower(u) : u);
    if (c == ' ') id += '-';
  }
  std::string unique = id;
  for (int i = 1; std::ranges::count(page.sections, unique, &Section::id) != 0; ++i)
    unique = fmt::format("{}-{}", id, i);
  return unique;
}

void Renderer::leave_heading(int level) {
  const std::string id = anchor(heading_);
  page.html.insert(heading_begin_, fmt::format("<h{} id=\"{}\"><a href=\"#{}\">", level, escape(id), escape(id)));
  put(fmt::format("</a></h{}>\n", level));
  if (page.title.empty()) page.title = heading_;
  page.sections.push_back({level, id, heading_, ""});
  in_heading_ = false;
}

/// The tag of a block that is nothing but its content; nullptr: it takes more than that.
const char* tag_of(MD_BLOCKTYPE type) {
  switch (type) {
    case MD_BLOCK_QUOTE:
      return "blockquote";
    case MD_BLOCK_UL:
      return "ul";
    case MD_BLOCK_LI:
      return "li";
    case MD_BLOCK_P:
      return "p";
    case MD_BLOCK_THEAD:
      return "thead";
    case MD_BLOCK_TBODY:
      return "tbody";
    case MD_BLOCK_TR:
      return "tr";
    case MD_BLOCK_TH:
      return "th";
    case MD_BLOCK_TD:
      return "td";
    default:
      return nullptr;
  }
}

const char* tag_of(MD_SPANTYPE type) {
  return type == MD_SPAN_EM       ? "em"
         : type == MD_SPAN_STRONG ? "strong"
         : type == MD_SPAN_CODE   ? "code"
         : type == MD_SPAN_DEL    ? "del"
                                  : nullptr;
}

void Renderer::enter_block(MD_BLOCKTYPE type, void* detail) {
  if (const char* tag = tag_of(type)) {
    put(fmt::format("<{}>", tag));
  } else if (type == MD_BLOCK_OL) {
    put(fmt::format("<ol start=\"{}\">", static_cast<MD_BLOCK_OL_DETAIL*>(detail)->start));
  } else if (type == MD_BLOCK_TABLE) {
    put("<div class=\"wide\"><table>");
  } else if (type == MD_BLOCK_HR) {
    put("<hr>\n");
  } else if (type == MD_BLOCK_H) {
    heading_begin_ = page.html.size();
    heading_.clear();
    in_heading_ = true;
  } else if (type == MD_BLOCK_CODE) {
    in_code_block_ = true;
    code_.clear();
  }
}

void Renderer::leave_block(MD_BLOCKTYPE type, void* detail) {
  if (!in_heading_) keep(" ");
  if (const char* tag = tag_of(type)) {
    put(fmt::format("</{}>\n", tag));
  } else if (type == MD_BLOCK_OL) {
    put("</ol>\n");
  } else if (type == MD_BLOCK_TABLE) {
    put("</table></div>\n");
  } else if (type == MD_BLOCK_H) {
    leave_heading(static_cast<int>(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level));
  } else if (type == MD_BLOCK_CODE) {
    const std::string language = text_of(static_cast<MD_BLOCK_CODE_DETAIL*>(detail)->lang);
    put(fmt::format("<pre><code>{}</code></pre>\n", highlight(code_, language)));
    in_code_block_ = false;
  }
}

void Renderer::enter_span(MD_SPANTYPE type, void* detail) {
  formula_.clear();
  if (type == MD_SPAN_IMG) {
    const std::string source = surroundings_.link(text_of(static_cast<MD_SPAN_IMG_DETAIL*>(detail)->src));
    if (images_++ == 0) put(fmt::format("<a href=\"{0}\"><img src=\"{0}\" alt=\"", escape(source)));
  }
  if (images_) return;
  if (const char* tag = tag_of(type)) {
    put(fmt::format("<{}>", tag));
  } else if (type == MD_SPAN_A) {
    const std::string target = surroundings_.link(text_of(static_cast<MD_SPAN_A_DETAIL*>(detail)->href));
    put(fmt::format("<a href=\"{}\">", escape(target)));
  }
}

void Renderer::leave_span(MD_SPANTYPE type, void* /*detail*/) {
  if (type == MD_SPAN_IMG && --images_ == 0) return put("\"></a>");
  if (images_) return;
  if (const char* tag = tag_of(type))
    put(fmt::format("</{}>", tag));
  else if (type == MD_SPAN_A)
    put("</a>");
  else if (type == MD_SPAN_LATEXMATH || type == MD_SPAN_LATEXMATH_DISPLAY)
    put(formula(formula_, type == MD_SPAN_LATEXMATH_DISPLAY));
}

/// Comments are dropped, but for those that say where code comes from.
void Renderer::html_line(std::string_view line) {
  constexpr std::string_view excerpt = "<!-- excerpt: ", end = " -->";
  if (line.starts_with(excerpt) && line.find(end) != line.npos) {
    const std::string_view place = line.substr(excerpt.size(), line.find(end) - excerpt.size());
    const size_t space = std::min(place.find(' '), place.size() - 1);
    return put(surroundings_.excerpt(std::string(place.substr(0, space)), std::string(place.substr(space + 1))));
  }
  if (!line.starts_with("<!--")) put(line);
}

void Renderer::text(MD_TEXTTYPE type, const char* characters, MD_SIZE size) {
  const std::string_view text(characters, size);
  switch (type) {
    case MD_TEXT_NULLCHAR:
      return put("\ufffd");
    case MD_TEXT_BR:
      return put("<br>\n");
    case MD_TEXT_SOFTBR:
      keep(" ");
      return put("\n");
    case MD_TEXT_ENTITY:
      return put(text);
    case MD_TEXT_HTML:
      return html_line(text);
    case MD_TEXT_LATEXMATH:
      formula_ += text;
      return;
    case MD_TEXT_NORMAL:
    case MD_TEXT_CODE:
      keep(text);
      if (in_code_block_)
        code_ += text;
      else
        put(escape(text));
  }
}

/// Hands an event on to the renderer. An exception may not pass through md4c, which is C: it stops the reading and is
/// thrown again afterwards.
template <auto handle, class... Event>
int pass_on(Event... event, void* renderer) {
  try {
    (static_cast<Renderer*>(renderer)->*handle)(event...);
    return 0;
  } catch (...) {
    static_cast<Renderer*>(renderer)->error = std::current_exception();
    return 1;
  }
}

}  // namespace

Page render_markdown(const std::string& text, const Surroundings& surroundings) {
  MD_PARSER parser{};
  parser.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_LATEXMATHSPANS | MD_FLAG_PERMISSIVEURLAUTOLINKS;
  parser.enter_block = pass_on<&Renderer::enter_block, MD_BLOCKTYPE, void*>;
  parser.leave_block = pass_on<&Renderer::leave_block, MD_BLOCKTYPE, void*>;
  parser.enter_span = pass_on<&Renderer::enter_span, MD_SPANTYPE, void*>;
  parser.leave_span = pass_on<&Renderer::leave_span, MD_SPANTYPE, void*>;
  parser.text = pass_on<&Renderer::text, MD_TEXTTYPE, const char*, MD_SIZE>;
  Renderer renderer(surroundings);
  const int stopped = md_parse(text.data(), static_cast<MD_SIZE>(text.size()), &parser, &renderer);
  if (renderer.error) std::rethrow_exception(renderer.error);
  if (stopped) throw UserError("there is not enough memory to read a page");
  return std::move(renderer.page);
}

}  // namespace cria::book
