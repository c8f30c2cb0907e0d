#include "app/learn/progress.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/fingerprint.hpp"
#include "lib/formats/json.hpp"

namespace cria::learn {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

ProgressFile::ProgressFile() : file_(workshop_folder() / "progress.json") {
  if (!fs::exists(file_)) return;
  try {
    const auto json = read_json(file_);
    for (const auto& [name, entry] : json.items())
      chapters_[name] = {entry.at("passed").get<size_t>(), entry.at("total").get<size_t>(),
                         entry.at("checked").get<std::string>(), entry.at("hints").get<std::map<std::string, size_t>>(),
                         entry.value("suspect", "")};
  } catch (const std::exception& error) {
    throw UserError(fmt::format("{} is damaged ({}); delete it, your code is not in it", shown(file_), error.what()));
  }
}

void ProgressFile::save() const {
  Json json = Json::object();
  for (const auto& [name, p] : chapters_)
    json[name] = {{"passed", p.passed},
                  {"total", p.total},
                  {"checked", p.checked},
                  {"hints", Json(p.hints)},
                  {"suspect", p.suspect}};
  fs::create_directories(file_.parent_path());
  write_file_atomically(file_, json.dump(2) + "\n");
}

fs::path learners_file(const Chapter& chapter, const ChapterFile& file) {
  return workshop_folder() / chapter.folder / file.name;
}

bool started(const Chapter& chapter) {
  return std::ranges::any_of(chapter.files,
                             [&](const ChapterFile& file) { return fs::exists(learners_file(chapter, file)); });
}

std::string files_hash(const Chapter& chapter) {
  std::uint64_t hash = fingerprint_start;
  for (const ChapterFile& file : chapter.files) {
    const fs::path path = learners_file(chapter, file);
    const std::string text = fs::exists(path) ? read_file(path) : "";
    hash = cria::fingerprint(text + '\0', hash);
  }
  return fmt::format("{:016x}", hash);
}

State state(const Chapter& chapter, const ChapterProgress& progress) {
  if (!started(chapter)) return State::not_started;
  const bool all = progress.total > 0 && progress.passed == progress.total;
  return all && progress.checked == files_hash(chapter) ? State::done : State::in_progress;
}

const Chapter& chosen_chapter(const std::vector<Chapter>& chapters, const std::string& name, ProgressFile& progress) {
  if (!name.empty()) return find_chapter(chapters, name);
  for (const Chapter& chapter : chapters)
    if (state(chapter, progress.of(chapter)) == State::in_progress) return chapter;
  throw UserError("no chapter is under way; name one, as in ./cria learn start 03");
}

}  // namespace cria::learn
