// Data: what a model is trained or measured on, as it was named and as it was read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.hpp"

namespace cria {

/// What to train on: the built-in stories, stories on request (chapter 14), facts with Zipf's weights, or files, in
/// each of which may be many documents. Several files are several documents at least. A file is read once, so it may be
/// a pipe.
struct Data {
  /// "stories", "requests" or "zipf"; or paths of files, folders of files, or "-", which is standard input. Throws
  /// UserError for what cannot be read.
  Data(std::vector<std::string> sources, std::uint64_t seed_of_order = 0);
  Data(const std::string& source, std::uint64_t seed_of_order = 0) : Data(std::vector{source}, seed_of_order) {}

  static bool is_built_in(const std::vector<std::string>& sources);
  /// Drawn from a grammar without end, with a floor that is known: the stories, or the facts of lib/grammar/zipf.hpp.
  bool is_drawn() const { return files.empty() && (name == "stories" || name == "zipf"); }
  bool is_requests() const { return files.empty() && name == "requests"; }

  /// The documents of all files, between which the separator stands. Throws UserError when there is no text in them.
  std::vector<std::string_view> documents(std::string_view separator) const;

  std::string name;  // for messages
  std::uint64_t seed;
  std::vector<MappedFile> files;
};

}  // namespace cria
