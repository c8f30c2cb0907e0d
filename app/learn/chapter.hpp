// The chapters as the workshop sees them: their files, and the regions in them that a learner writes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cria::learn {

/// A part of a chapter's file from `// solution: name` to `// end of solution`, as line numbers from 0; both lines of
/// the markers are included.
struct Region {
  std::string name;
  std::size_t first_line = 0, last_line = 0;
};

/// Throws UserError, naming the file, when a marker lacks its partner. Another `kind` than solution is what a lesson
/// quotes and nobody is asked to write.
std::vector<Region> find_regions(std::string_view text, const std::string& file, std::string_view kind = "solution");

/// One file of a chapter that has regions.
struct ChapterFile {
  std::string name;       // rmsnorm.cpp
  std::string reference;  // its text
  std::vector<Region> regions;
};

struct Chapter {
  std::string folder;  // 03-rmsnorm
  std::string title;   // RMSNorm
  std::vector<ChapterFile> files;

  std::string number() const { return folder.substr(0, 2); }
  std::filesystem::path lesson() const { return std::filesystem::path("chapters") / folder / "README.md"; }
  const ChapterFile& file(const std::string& name) const;
  std::vector<std::string> region_names() const;
  /// "chapter 03 is not written yet: rmsnorm_forward"
  std::string not_written(const std::string& region) const;
};

/// The file with every region replaced by a statement that throws NotWritten.
std::string skeleton(const Chapter& chapter, const ChapterFile& file);

/// The source tree that this program was built from. Throws UserError when it is not there.
const std::filesystem::path& source_folder();
/// The folder that this program was built in. Throws UserError when it is not there.
const std::filesystem::path& build_folder();
/// The learner's folder: $CRIA_WORKSHOP, else workshop/ in the source tree.
std::filesystem::path workshop_folder();

/// All chapters in order.
std::vector<Chapter> all_chapters();
/// The chapter that 3, 03, rmsnorm or 03-rmsnorm names. Throws UserError when there is none.
const Chapter& find_chapter(const std::vector<Chapter>& chapters, const std::string& name);

std::vector<std::string> split_lines(std::string_view text);
std::string join_lines(const std::vector<std::string>& lines);
std::string_view trim(std::string_view text);
/// A path below the current folder without what they share, for messages.
std::string shown(const std::filesystem::path& path);

}  // namespace cria::learn
