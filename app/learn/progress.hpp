// What is known about a learner's way: workshop/progress.json. The code itself is never in it.
#pragma once

#include <map>
#include <string>

#include "app/learn/chapter.hpp"

namespace cria::learn {

struct ChapterProgress {
  std::size_t passed = 0, total = 0;         // tests, at the last check
  std::string checked;                       // hash of the files that were checked
  std::map<std::string, std::size_t> hints;  // shown, by region
  std::string suspect;                       // the region that the last check speaks against; empty: none
};

enum class State { not_started, in_progress, done };

class ProgressFile {
 public:
  /// Throws UserError when the file is damaged.
  ProgressFile();
  void save() const;

  ChapterProgress& of(const Chapter& chapter) { return chapters_[chapter.folder]; }

 private:
  std::filesystem::path file_;
  std::map<std::string, ChapterProgress> chapters_;
};

/// The learner's file; it need not exist.
std::filesystem::path learners_file(const Chapter& chapter, const ChapterFile& file);
bool started(const Chapter& chapter);
/// A hash of the learner's files as they are now.
std::string files_hash(const Chapter& chapter);
/// Done: all tests passed, with the files as they are now.
State state(const Chapter& chapter, const ChapterProgress& progress);
/// The chapter of that name; without one, the first that is begun and not done. Throws UserError when there is none.
const Chapter& chosen_chapter(const std::vector<Chapter>& chapters, const std::string& name, ProgressFile& progress);

}  // namespace cria::learn
