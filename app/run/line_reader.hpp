// Lines that a user types, or that a script sends.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace cria {

/// Reads standard input. On a terminal a line is asked for with a prompt, and can be edited and taken from those before
/// it, where the program was built with libedit.
class LineReader {
 public:
  explicit LineReader(std::string prompt);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  bool on_terminal() const { return on_terminal_; }

  /// The next line without its end. Nothing at the end of the input, and where a user ends it: by Ctrl-D, or Ctrl-C in
  /// an empty line. Throws UserError for a line of more than 1 MB.
  std::optional<std::string> next();

 private:
  class Editor;
  std::string prompt_;
  bool on_terminal_;
  std::unique_ptr<Editor> editor_;  // null where there is none
};

}  // namespace cria
