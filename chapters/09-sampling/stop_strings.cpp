// The search for stop strings, and for the end of the last complete character.
#include "chapters/09-sampling/stop_strings.hpp"

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& stop : stops_)
    if (stop.empty()) throw UserError("a stop string is empty, expected at least one character");
}

std::string_view StopStrings::push(std::string_view bytes) {
  if (stopped_) return {};
  held_ += bytes;
  // solution: stop_strings
  size_t first_begin = std::string::npos, first_end = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t begin = held_.find(stop);
    if (begin == std::string::npos) continue;
    const size_t end = begin + stop.size();
    if (end < first_end || (end == first_end && begin < first_begin)) first_begin = begin, first_end = end;
  }
  if (first_begin != std::string::npos) {
    stopped_ = true;
    return show(first_begin);
  }
  return show(complete_utf8_length(std::string_view(held_).substr(0, undecided_stop())));
  // end of solution
}

std::string_view StopStrings::finish() {
  if (stopped_) return {};
  return show(held_.size());
}

std::string_view StopStrings::show(size_t count) {
  shown_.assign(held_, 0, count);
  held_.erase(0, count);
  return shown_;
}

// Where the longest end of the held text begins that is the beginning of a stop string.
size_t StopStrings::undecided_stop() const {
  const std::string_view held = held_;
  size_t undecided = held.size();
  for (const std::string_view stop : stops_)
    for (size_t length = std::min(stop.size() - 1, held.size()); length > held.size() - undecided; --length)
      if (stop.starts_with(held.substr(held.size() - length))) undecided = held.size() - length;
  return undecided;
}

size_t complete_utf8_length(std::string_view text) {
  // 110xxxxx begins a sequence of 2 bytes, 1110xxxx of 3, 11110xxx of 4; the others of it are 10xxxxxx.
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t length = (byte & 0xE0) == 0xC0 ? 2 : (byte & 0xF0) == 0xE0 ? 3 : (byte & 0xF8) == 0xF0 ? 4 : 1;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace cria
