// Puts the files that are about to be compiled where the build looks for them (cmake/Workshop.cmake).
//
// A staged file is the learner's, plus a mark that each of its regions leaves when it runs. Its lines keep their
// numbers and its messages the learner's path, so nobody has to know that there are two.
#pragma once

#include <filesystem>
#include <string>

#include "app/learn/chapter.hpp"

namespace cria::learn {

/// Stages `text` as a file of the chapter; compilers will call it `path`. Touches nothing when it is there already.
void stage(const Chapter& chapter, const ChapterFile& file, const std::string& text, const std::filesystem::path& path);

/// Where a chapter's staged files and logs are.
std::filesystem::path stage_folder(const Chapter& chapter);

}  // namespace cria::learn
