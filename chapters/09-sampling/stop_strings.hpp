// Stop strings: ends a stream of text at the first of several strings, and never shows half a character.
//
// Text comes in pieces that may end anywhere, within a stop string or within a UTF-8 sequence, so what might still turn
// out to be the beginning of either is held back until it is decided.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cria {

class StopStrings {
 public:
  /// Throws UserError when one of them is empty. None at all is allowed: then only UTF-8 is watched.
  explicit StopStrings(std::vector<std::string> stops = {});

  /// Takes the next bytes and returns those that can be shown now; valid until the next call. Once a stop string is
  /// complete, what came before it is returned, stopped() is true, and nothing is returned any more. Of several the one
  /// that is complete first counts, so the result does not depend on how the text was cut into pieces.
  /// Bytes that are not UTF-8 pass as they are.
  std::string_view push(std::string_view bytes);

  bool stopped() const { return stopped_; }

  /// What is still held back; to be called when the stream ends.
  std::string_view finish();

 private:
  std::string_view show(size_t count);
  size_t undecided_stop() const;

  std::vector<std::string> stops_;
  std::string held_;   // taken and not shown
  std::string shown_;  // what the last call returned
  bool stopped_ = false;
};

/// The length of `text` without a UTF-8 sequence that has begun at its end and is not complete (at most 3 bytes).
size_t complete_utf8_length(std::string_view text);

}  // namespace cria
