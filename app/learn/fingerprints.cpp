// Fingerprints as a file. JSON, in a file of its own because it takes long to compile.
#include <nlohmann/json.hpp>

#include <cstdio>

#include "app/learn/mistake.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"

namespace cria::learn {
namespace {

using Json = nlohmann::ordered_json;

std::filesystem::path file_of(const Chapter& chapter) {
  return source_folder() / "chapters" / chapter.folder / "mistakes" / "fingerprints.json";
}

double rounded(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", value);
  return std::stod(digits);
}

}  // namespace

Fingerprints read_fingerprints(const Chapter& chapter) {
  Fingerprints fingerprints;
  const std::filesystem::path file = file_of(chapter);
  if (!std::filesystem::exists(file)) return fingerprints;
  try {
    const auto json = read_json(file);
    for (const auto& [name, traces] : json.items())
      for (const auto& trace : traces)
        fingerprints[name].push_back({trace.at("test").get<std::string>(), trace.at("expression").get<std::string>(),
                                      trace.at("numbers").get<std::vector<double>>()});
  } catch (const Json::exception& error) {
    throw UserError(shown(file) + " is damaged: " + error.what());
  }
  return fingerprints;
}

void write_fingerprints(const Chapter& chapter, const Fingerprints& fingerprints) {
  // One line for each assertion: fit to be read in a change.
  std::string text = "{";
  for (const auto& [name, traces] : fingerprints) {
    text += (text.size() > 1 ? ",\n" : "\n") + Json(name).dump() + ": [";
    for (size_t i = 0; i < traces.size(); ++i) {
      Json trace{{"test", traces[i].test}, {"expression", traces[i].expression}, {"numbers", Json::array()}};
      for (const double number : traces[i].numbers) trace["numbers"].push_back(rounded(number));
      text += (i ? ",\n  " : "\n  ") + trace.dump();
    }
    text += "\n]";
  }
  write_file_atomically(file_of(chapter), text + "\n}\n");
}

}  // namespace cria::learn
