// cria learn diff: a learner's files beside the reference's.
#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "app/learn/check.hpp"
#include "app/learn/learn.hpp"
#include "app/learn/process.hpp"
#include "app/learn/progress.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace fs = std::filesystem;
using namespace learn;
namespace {

/// Of the terminal, also after it was resized; of what is no terminal, what $COLUMNS says, else room for two files.
size_t screen_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const size_t width = columns ? std::strtoul(columns, nullptr, 10) : 0;
  return width > 0 ? width : 160;
}

}  // namespace

int run_learn_diff(const LearnOptions& options) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  const Chapter& chapter = chosen_chapter(chapters, options.chapter, progress);
  learners_files(chapter);  // says what is missing
  if (!options.now && state(chapter, progress.of(chapter)) != State::done)
    throw UserError(
        fmt::format("chapter {0} does not pass its tests yet; ./cria learn diff {0} --now shows the "
                    "reference all the same",
                    chapter.number()));
  constexpr size_t least_beside = 110;  // columns: beside each other in fewer, most lines would be cut off
  const std::string width = fmt::format("{}", screen_width());
  for (const ChapterFile& file : chapter.files) {
    const fs::path theirs = learners_file(chapter, file);
    fmt::print("── yours: {} │ the reference: chapters/{}/{}\n", shown(theirs), chapter.folder, file.name);
    std::vector<std::string> command{"diff", "--side-by-side", "--expand-tabs", "--width", width};
    if (screen_width() < least_beside) command = {"diff", "--unified=1000"};
    command.insert(command.end(),
                   {theirs.string(), (source_folder() / "chapters" / chapter.folder / file.name).string()});
    if (run_process(command, {.show = true}).succeeded()) fmt::print("They are the same.\n");
  }
  return 0;
}

}  // namespace cria
