// Pages: the anchors of headings, links that are asked for, code and formulas that Markdown must not touch.
#include <cstdlib>

#include "app/book/html.hpp"
#include "app/book/markdown.hpp"
#include "tests/testing.hpp"

using namespace cria;

namespace {

book::Page render(const std::string& text) {
  return book::render_markdown(
      text, {[](const std::string& target) { return "to:" + target; },
             [](const std::string& source, const std::string& region) { return "[" + source + "|" + region + "]"; }});
}

}  // namespace

TEST_CASE("headings get the anchors that GitHub gives them, and a number when they come again") {
  const book::Page page = render("# 05 `q · k` & scores\n\n## By hand\n\ntext\n\n## By hand\n");
  REQUIRE(page.sections.size() == 3);
  CHECK(page.title == "05 q · k & scores");
  CHECK(page.sections[1].id == "by-hand");
  CHECK(page.sections[1].text == "text ");
  CHECK(page.sections[2].id == "by-hand-1");
  CHECK_THAT(page.html, testing::contains("<h2 id=\"by-hand-1\"><a href=\"#by-hand-1\">By hand</a></h2>"));
}

TEST_CASE("links and pictures lead where the surroundings say") {
  CHECK_THAT(render("[a](b.md#c)").html, testing::contains("<a href=\"to:b.md#c\">a</a>"));
  CHECK_THAT(render("![an *image*](b.svg)").html, testing::contains("<img src=\"to:b.svg\" alt=\"an image\">"));
  CHECK_THAT(render("<!-- excerpt: a.cpp f -->\n```cpp\nint x;\n```\n").html,
             testing::contains("[a.cpp|f]\n<pre><code><span class=\"keyword\">int</span> x;\n</code></pre>"));
}

TEST_CASE("what stands in code and in text is escaped, and comments are not shown") {
  CHECK_THAT(render("`a<b>` & c").html, testing::contains("<code>a&lt;b&gt;</code> &amp; c"));
  CHECK_THAT(render("```\n*x* <y>\n```\n").html, testing::contains("*x* &lt;y&gt;"));
  CHECK(render("<!-- a note -->\n").html.find("note") == std::string::npos);
}

TEST_CASE("highlighting adds colours and changes no character") {
  CHECK(book::highlight("x = 1'000; // \"no\"", "cpp") ==
        "x = 1'000; <span class=\"comment\">// &quot;no&quot;</span>");
  CHECK(book::highlight("f(\"a\\\"//b\");", "cpp") == "f(<span class=\"string\">&quot;a\\&quot;//b&quot;</span>);");
  CHECK(book::highlight("-old\n+new\n", "diff") ==
        "<span class=\"removed\">-old</span>\n<span class=\"added\">+new</span>\n");
}

TEST_CASE("a formula becomes MathML, and one that is not understood an error that quotes it") {
  if (std::system("command -v blahtexml >/dev/null") != 0)
    return testing::skip_test("formulas need blahtexml (./cria setup book)");
  const std::string html = render("So $x_i * y_i$ and\n\n$$\\frac{a}{b}$$\n").html;
  CHECK_THAT(html, testing::contains("<msub><mi>x</mi><mi>i</mi></msub>"));
  CHECK_THAT(html, testing::contains("<math display=\"block\">"));
  CHECK(html.find('$') == std::string::npos);
  CHECK_THAT(render("$a - b$\n").html, testing::contains(">−</mo>"));  // blahtexml gives a hyphen
  CHECK_THROWS_WITH(render("$\\nonsense{x}$"), testing::contains("\\nonsense{x} is not understood"));
}
