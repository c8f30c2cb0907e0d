// Two questions to the parser: one for each sentence on its own, one for each story as a whole.
#include "lib/grammar/judge.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "lib/base/check.hpp"
#include "lib/grammar/parse.hpp"

namespace cria {
namespace {

/// The word that begins at a position, for a message.
std::string word_at(std::string_view text, size_t position) {
  if (position >= text.size()) return "the end";
  const size_t end = std::min(text.find_first_of(" \n", position + 1), text.size());
  return fmt::format("`{}`", text.substr(position, end - position));
}

std::string reason(const Mismatch& mismatch, std::string_view text) {
  return fmt::format("found {}, expected {}", word_at(text, mismatch.position), mismatch.expected);
}

Fault story_fault(const Parser& parser, std::string_view story, const std::vector<std::string_view>& sentences) {
  const Mismatch mismatch = parser.why_not_story(story);
  size_t at = 0;
  while (at + 1 < sentences.size() && sentences[at + 1].data() <= story.data() + mismatch.position) ++at;
  return {0, at + 1, std::string(sentences.empty() ? story : sentences[at]), reason(mismatch, story)};
}

}  // namespace

std::vector<std::string_view> split_sentences(std::string_view story) {
  std::vector<std::string_view> sentences;
  size_t begin = 0;
  for (size_t i = 0; i < story.size(); ++i) {
    if (story[i] != '.' && story[i] != '!' && story[i] != '?') continue;
    size_t end = i + 1;
    if (end < story.size() && story[end] == '"') ++end;
    const bool last = end >= story.size();
    const char next = end + 1 < story.size() && story[end] == ' ' ? story[end + 1] : '\0';
    if (!last && next != '"' && !(next >= 'A' && next <= 'Z')) continue;
    sentences.push_back(story.substr(begin, end - begin));
    begin = last ? end : end + 1;
    i = end - 1;
  }
  if (story.find_first_not_of(' ', begin) != story.npos) sentences.push_back(story.substr(begin));
  return sentences;
}

std::vector<std::string_view> split_stories(std::string_view text, std::string_view separator) {
  require(!separator.empty(), "split_stories", "needs a separator");
  const auto drop_line_ends = [](std::string_view story) {
    if (story.starts_with("\r\n")) story.remove_prefix(2);
    if (story.starts_with('\n')) story.remove_prefix(1);
    if (story.ends_with('\n')) story.remove_suffix(1);
    if (story.ends_with('\r')) story.remove_suffix(1);
    return story;
  };
  std::vector<std::string_view> stories;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    const std::string_view story = drop_line_ends(text.substr(begin, end - begin));
    if (story.find_first_not_of(" \t\r\n") != story.npos) stories.push_back(story);
    begin = end + separator.size();
  }
  return stories;
}

Judgement judge(const Grammar& grammar, std::span<const std::string_view> stories, size_t faults) {
  const Parser parser(grammar);
  Judgement judgement;
  for (const std::string_view story : stories) {
    ++judgement.stories;

    Fault fault;
    const auto sentences = split_sentences(story);
    for (size_t i = 0; i < sentences.size(); ++i) {
      ++judgement.sentences;
      if (parser.sentence(sentences[i]))
        ++judgement.sentences_allowed;
      else if (fault.sentence == 0)
        fault = {0, i + 1, std::string(sentences[i]), reason(parser.why_not_sentence(sentences[i]), sentences[i])};
    }
    if (const auto parse = parser.story(story)) {
      ++judgement.stories_right;
      judgement.bits -= parse->log2_probability;
      judgement.bytes += story.size() + 1;
    } else if (judgement.faults.size() < faults) {
      if (fault.sentence == 0) fault = story_fault(parser, story, sentences);
      fault.story = judgement.stories;
      judgement.faults.push_back(std::move(fault));
    }
  }
  return judgement;
}

Judgement judge(const Grammar& grammar, std::string_view text, size_t faults) {
  return judge(grammar, split_stories(text), faults);
}

}  // namespace cria
