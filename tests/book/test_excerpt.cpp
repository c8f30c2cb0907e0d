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
                        "    // end of solution\n}\n");
  return folder;
}

const std::string marker = "<!-- excerpt: code.cpp twice -->\n";
const std::string right = "```cpp\nfor (;;)\n#pragma unroll\n  twice();\n```\n";

}  // namespace

TEST_CASE("an excerpt is the region of its source without the indentation that its lines share") {
  const book::Lesson lesson = read_excerpts("Text\n\n" + marker + right + "More\n", "lesson.md", folder_with_code());
  REQUIRE(lesson.excerpts.size() == 1);
  CHECK(lesson.excerpts[0].line == 3);
  CHECK_FALSE(lesson.excerpts[0].differs);
  CHECK(lesson.refreshed == "Text\n\n" + marker + right + "More\n");
}

TEST_CASE("an excerpt that differs from its source is found, and refreshed without touching the rest") {
  for (const std::string there : {"```cpp\nfor (;;) once();\n```\n", "```cpp\n```\n", ""}) {
    INFO(there);
    const std::string before = "```\nplain\n```\n", after = "\n```cpp\nother();\n```\n";
    const book::Lesson lesson = read_excerpts(before + marker + there + after, "lesson.md", folder_with_code());
    REQUIRE(lesson.excerpts.size() == 1);
    CHECK(lesson.excerpts[0].differs);
    CHECK(lesson.refreshed == before + marker + right + after);
  }
}

TEST_CASE("a marker that names what is not there says so, with the lesson's line") {
  const auto refused = [](const std::string& text, const std::string& reason) {
    CHECK_THROWS_AS(read_excerpts(text, "lesson.md", folder_with_code()), UserError);
    CHECK_THROWS_WITH(read_excerpts(text, "lesson.md", folder_with_code()), testing::contains(reason));
  };
  refused("\n<!-- excerpt: code.cpp once -->\n", "lesson.md:2: code.cpp has no region once, only: twice");
  refused("<!-- excerpt: none.cpp twice -->\n", "lesson.md:1: there is no file none.cpp");
  refused("<!-- excerpt: code.cpp -->\n", "expected <!-- excerpt: FILE REGION -->");
  refused(marker + "```cpp\nfor", "has no end");
}
