// Two questions to the parser: one for each sentence on its own, one for each story as a whole.
#include "lib/grammar/judge.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "lib/grammar/parse.hpp"

namespace cria {
namespace {

/// The word that begins at a position, for a message.
std::string word_at(std::string_view text, size_t position) {
  if (position >= text.size()) return "the end";
  const size_t end = std::min(text.find(' ', position + 1), text.size());
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

Judgement judge(const Grammar& grammar, std::string_view text, size_t faults) {
  const Parser parser(grammar);
  Judgement judgement;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view story = text.substr(begin, end - begin);
    begin = end + 1;
    if (story.ends_with('\r')) story.remove_suffix(1);
    if (story.find_first_not_of(" \t") == story.npos) continue;
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

}  // namespace cria
