// Code in lessons: what counts as the same as the source, and what a wrong marker says.
#include "app/book/excerpt.hpp"

#include "lib/base/file.hpp"
#include "tests/testing.hpp"

using namespace cria;
using book::read_excerpts;

namespace {

/// A folder with code.cpp, whose region "twice" is two lines and a pragma.
std::filesystem::path folder_with_code() {
  const auto folder = std::filesystem::temp_directory_path() / "cria-test-excerpts";
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / "code.cpp",
                        "void f() {\n    // solution: twice\n    for (;;)\n#pragma unroll\n      twice();\n"
                        "    // end of solution\n  // example: once\n  once();\n  // end of example\n}\n");
  return folder;
}

const std::string marker = "<!-- excerpt: code.cpp twice -->\n";
const std::string fence = "```cpp\nfor (;;)\n#pragma unroll\n  twice();\n```\n";
const std::string right =
    "<details>\n<summary>The reference's <code>twice</code></summary>\n\n" + fence + "\n</details>\n";

}  // namespace

TEST_CASE("an excerpt is the region of its source without the indentation that its lines share") {
  const book::Lesson lesson = read_excerpts("Text\n\n" + marker + right + "More\n", "lesson.md", folder_with_code());
  REQUIRE(lesson.excerpts.size() == 1);
  CHECK(lesson.excerpts[0].line == 3);
  CHECK_FALSE(lesson.excerpts[0].differs);
  CHECK(lesson.refreshed == "Text\n\n" + marker + right + "More\n");
}

TEST_CASE("an excerpt that differs from its source is found, and refreshed without touching the rest") {
  for (const std::string there :
       {"```cpp\nfor (;;) once();\n```\n", "```cpp\n```\n", "", "<details>\nold\n</details>\n"}) {
    INFO(there);
    const std::string before = "```\nplain\n```\n", after = "\n```cpp\nother();\n```\n";
    const book::Lesson lesson = read_excerpts(before + marker + there + after, "lesson.md", folder_with_code());
    REQUIRE(lesson.excerpts.size() == 1);
    CHECK(lesson.excerpts[0].differs);
    CHECK(lesson.refreshed == before + marker + right + after);
  }
}

TEST_CASE("an excerpt that is not folded counts as different: it would show the solution to who writes the chapter") {
  const book::Lesson lesson = read_excerpts(marker + fence + "More\n", "lesson.md", folder_with_code());
  CHECK(lesson.excerpts.at(0).differs);
  CHECK(lesson.refreshed == marker + right + "More\n");
}

TEST_CASE("an example, which nobody is asked to write, stands open") {
  const std::string example = "<!-- excerpt: code.cpp once -->\n", open = "```cpp\nonce();\n```\n";
  CHECK_FALSE(read_excerpts(example + open, "lesson.md", folder_with_code()).excerpts.at(0).differs);
  CHECK(read_excerpts(example, "lesson.md", folder_with_code()).refreshed == example + open);
}

TEST_CASE("a marker that names what is not there says so, with the lesson's line") {
  const auto refused = [](const std::string& text, const std::string& reason) {
    CHECK_THROWS_AS(read_excerpts(text, "lesson.md", folder_with_code()), UserError);
    CHECK_THROWS_WITH(read_excerpts(text, "lesson.md", folder_with_code()), testing::contains(reason));
  };
  refused("\n<!-- excerpt: code.cpp thrice -->\n", "lesson.md:2: code.cpp has no region thrice, only: twice, once");
  refused("<!-- excerpt: none.cpp twice -->\n", "lesson.md:1: there is no file none.cpp");
  refused("<!-- excerpt: code.cpp -->\n", "expected <!-- excerpt: FILE REGION -->");
  refused(marker + "```cpp\nfor", "the ```cpp after this excerpt has no end");
  refused(marker + "<details>\n" + fence, "the <details> after this excerpt has no end");
}
