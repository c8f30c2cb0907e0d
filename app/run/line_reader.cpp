#include "app/run/line_reader.hpp"

#include <unistd.h>

#include <clocale>
#include <cstdio>

#include "app/output.hpp"
#include "lib/base/check.hpp"

#ifdef CRIA_EDIT
#include <histedit.h>
#endif

namespace cria {
namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;

std::optional<std::string> read_plain() {
  std::string line;
  for (int c; (c = std::getc(stdin)) != EOF;) {
    if (c == '\n') return line;
    line += static_cast<char>(c);
    if (line.size() > longest_line) throw UserError("a line has more than 1 MB, expected a message in each");
  }
  if (line.empty()) return std::nullopt;
  return line;
}

}  // namespace

#ifdef CRIA_EDIT

/// A line with libedit's keys, and those before it.
class LineReader::Editor {
 public:
  explicit Editor(std::string prompt) : prompt_(std::move(prompt)) {
    if (!std::setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
    edit_ = ::el_init("cria", stdin, stdout, stderr);
    history_ = ::history_init();
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, 1000);
    ::el_set(edit_, EL_CLIENTDATA, this);
    ::el_set(edit_, EL_PROMPT, show_prompt);
    ::el_set(edit_, EL_EDITOR, "emacs");
    ::el_set(edit_, EL_HIST, ::history, history_);
    // While a line is edited, Ctrl-C is a key and no signal.
    ::el_set(edit_, EL_ADDFN, "cria-interrupt", "Drop the line, or end", interrupt);
    ::el_set(edit_, EL_SETTY, "-d", "-isig", nullptr);
    ::el_set(edit_, EL_BIND, "^C", "cria-interrupt", nullptr);
    ::el_source(edit_, nullptr);  // the user's .editrc
  }
  ~Editor() {
    ::el_end(edit_);
    ::history_end(history_);
  }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  std::optional<std::string> next() {
    ::el_resize(edit_);
    do {
      dropped_ = false;
      int count = 0;
      if (const char* line = ::el_gets(edit_, &count); line && count > 0) {
        std::string text(line, static_cast<std::size_t>(count));
        if (text.ends_with('\n')) text.pop_back();
        HistEvent event;
        if (!text.empty()) ::history(history_, &event, H_ENTER, text.c_str());
        return text;
      }
      print_bytes("\n");
      flush_output();
    } while (dropped_);
    return std::nullopt;
  }

 private:
  static Editor& of(EditLine* edit) {
    void* self = nullptr;
    ::el_get(edit, EL_CLIENTDATA, &self);
    return *static_cast<Editor*>(self);
  }
  static char* show_prompt(EditLine* edit) { return of(edit).prompt_.data(); }
  static unsigned char interrupt(EditLine* edit, int) {
    const LineInfo* line = ::el_line(edit);
    of(edit).dropped_ = line->lastchar > line->buffer;
    return CC_EOF;
  }

  std::string prompt_;
  EditLine* edit_;
  History* history_;
  bool dropped_ = false;  // a line that was not empty
};

#else

class LineReader::Editor {
 public:
  explicit Editor(const std::string&) {}
  std::optional<std::string> next() { return std::nullopt; }
};

#endif

LineReader::LineReader(std::string prompt) : prompt_(std::move(prompt)), on_terminal_(::isatty(STDIN_FILENO) != 0) {
#ifdef CRIA_EDIT
  if (on_terminal_ && ::isatty(STDOUT_FILENO)) editor_ = std::make_unique<Editor>(prompt_);
#endif
}

LineReader::~LineReader() = default;

std::optional<std::string> LineReader::next() {
  if (editor_) return editor_->next();
  const bool asks = on_terminal_ && ::isatty(STDOUT_FILENO);
  if (asks) {
    print_bytes(prompt_);
    flush_output();
  }
  auto line = read_plain();
  if (!line && asks) print_bytes("\n");
  return line;
}

}  // namespace cria
