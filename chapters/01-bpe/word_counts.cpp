// Counting words in a text, and in a file chunk by chunk.
#include "chapters/01-bpe/word_counts.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

void count_words(std::string_view text, SplitPattern pattern, const SpecialTokens& specials, WordCounts& into) {
  specials.for_each_part(
      text,
      [&](std::string_view part) { for_each_piece(pattern, part, [&](std::string_view word) { into.add(word); }); },
      [](std::string_view) {});
}

WordCounts count_words_in_file(const std::filesystem::path& file, SplitPattern pattern, const SpecialTokens& specials,
                               std::size_t chunk) {
  WordCounts counts;
  if (pattern == SplitPattern::none) {
    count_words(read_file(file), pattern, specials, counts);
  } else {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw UserError("cannot read " + file.string() + ": " + std::strerror(errno));
    std::string text;  // what has been read and not been counted
    while (stream) {
      const std::size_t kept = text.size();
      text.resize(kept + chunk);
      stream.read(text.data() + kept, static_cast<std::streamsize>(chunk));
      text.resize(kept + static_cast<std::size_t>(stream.gcount()));
      if (stream.bad()) throw UserError("cannot read " + file.string() + ": " + std::strerror(errno));

      std::size_t cut = text.size();
      if (stream) {
        // A special token must not be cut, nor one of which only the beginning has been read.
        cut = last_safe_border(text, text.size() - std::min(specials.longest(), text.size()));
        while (specials.any_across(text, cut)) cut = last_safe_border(text, cut - 1);
        if (cut == 0 && text.size() >= 16 * chunk) cut = text.size();
      }
      count_words(std::string_view(text).substr(0, cut), pattern, specials, counts);
      text.erase(0, cut);
    }
  }
  if (counts.words.size() == 0) throw UserError(file.string() + " is empty: there is no text to learn from");
  return counts;
}

}  // namespace cria
