// Counting words in a text, and in a file chunk by chunk.
#include "chapters/01-bpe/word_counts.hpp"

#include <algorithm>

#include "chapters/01-bpe/documents.hpp"
#include "chapters/01-bpe/sentencepiece.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

void count_words(std::string_view text, const WordBorders& borders, WordCounts& into) {
  const auto count_part = [&](std::string_view part) {
    for_each_piece(borders.pattern, part, [&](std::string_view word) { into.add(word); });
  };
  for_each_document(text, borders.separator, [&](std::string_view document) {
    if (!borders.lines) return borders.specials.for_each_part(document, count_part, [](std::string_view) {});
    for (std::string_view rest = document; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      borders.specials.for_each_part(with_blanks(line, true, {}), count_part, [](std::string_view) {});
    }
  });
}

namespace {

/// The last place before `limit` where nothing that is counted is cut; 0 if there is none.
std::size_t last_border(std::string_view text, std::size_t limit, const WordBorders& borders) {
  if (!borders.lines) return last_safe_border(text, limit);
  const std::size_t end = limit == 0 ? std::string_view::npos : text.rfind('\n', limit - 1);
  return end == std::string_view::npos ? 0 : end + 1;
}

void count_words_in_file(const std::filesystem::path& file, const WordBorders& borders, std::size_t chunk,
                         WordCounts& into) {
  if (borders.pattern == SplitPattern::none) return count_words(read_file(file), borders, into);
  // Neither a special token nor a separator with its line ends must be cut, nor one of which only the beginning has
  // been read. (The line ends need no care: a border is a space behind a visible character.)
  const SpecialTokens separator(borders.separator.empty() ? std::vector<std::string>{}
                                                          : std::vector{borders.separator});
  const std::size_t longest = std::max(borders.specials.longest(), separator.longest() + 2);
  InputFile input(file);
  std::string text;  // what has been read and not been counted
  for (bool more = true; more;) {
    more = input.read(chunk, text) == chunk;
    std::size_t cut = text.size();
    if (more) {
      cut = last_border(text, text.size() - std::min(longest, text.size()), borders);
      // A line's end in front of a separator belongs to neither document, so both have to be seen together.
      const auto in_front = [&](std::size_t at) {
        return borders.lines && !borders.separator.empty() &&
               std::string_view(text).substr(at).starts_with(borders.separator);
      };
      while (cut > 0 && (borders.specials.any_across(text, cut) || separator.any_across(text, cut) || in_front(cut)))
        cut = last_border(text, cut - 1, borders);
      if (cut == 0 && text.size() >= 16 * chunk) cut = text.size();
    }
    count_words(std::string_view(text).substr(0, cut), borders, into);
    text.erase(0, cut);
  }
}

}  // namespace

WordCounts count_words_in_files(const std::vector<std::filesystem::path>& files, const WordBorders& borders,
                                std::size_t chunk) {
  WordCounts counts;
  for (const std::filesystem::path& file : files) count_words_in_file(file, borders, chunk, counts);
  if (counts.words.size() == 0)
    throw UserError((files.size() == 1 ? shown_path(files[0]) + " is" : std::to_string(files.size()) + " files are") +
                    " empty: there is no text to learn from");
  return counts;
}

}  // namespace cria
