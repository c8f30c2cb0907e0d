// Code in a lesson that is taken from the compiled source, so that text and code cannot drift apart. It is a solution,
// so it is folded: who writes the chapter in the workshop opens it when they want to.
//
//     <!-- excerpt: chapters/03-rmsnorm/rmsnorm.cpp rmsnorm_forward -->
//     <details>
//     <summary>The reference's <code>rmsnorm_forward</code></summary>
//
//     ```cpp
//     …  what stands in that file between `// solution: rmsnorm_forward` and `// end of solution`
//     ```
//
//     </details>
//
// What nobody is asked to write stands between `// example: name` and `// end of example` and is not folded. Whoever
// writes a lesson writes the first line only, or a bare fence below it: `cria book --refresh` does the rest.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cria::book {

struct Excerpt {
  std::size_t line;            // of the comment in the lesson, from 1
  std::string source, region;  // path from the project's folder, name
  bool solution;               // or an example
  bool differs;                // what follows is something else than the source, a solution folded
};

struct Lesson {
  std::vector<Excerpt> excerpts;
  std::string refreshed;  // the lesson's text with every excerpt as the source has it
};

/// Compares the excerpts of a lesson with their sources below `root`. `name` is the lesson in messages.
/// Throws UserError when a source or a region in it does not exist, or an excerpt has no end.
Lesson read_excerpts(const std::string& text, const std::string& name, const std::filesystem::path& root);

}  // namespace cria::book
