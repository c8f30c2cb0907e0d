// StoryText: a story of a grammar (lib/grammar) while it is being written, byte by byte.
//
// A story walks its grammar as lib/grammar's generator does; what has been written so far may have come about in
// several ways, which are all kept until a byte decides: the symbol that is next, where the rules above go on, and the
// rows that its threads have drawn. A name that was told as Mia stays Mia, because all ways in which it is another have
// ended.
#pragma once

#include <memory>
#include <vector>

#include "chapters/22-serving/byte_acceptor.hpp"
#include "lib/grammar/grammar.hpp"

namespace cria {

class StoryText : public ByteAcceptor {
 public:
  /// Nothing is written yet. The grammar must outlive it.
  explicit StoryText(const Grammar& grammar);

  /// Throws UserError where a text could have come about in more than 100 000 ways.
  bool push(unsigned char byte) override;
  void pop() override { --depth_; }
  bool may_end() override { return opened().may_end; }
  /// Whether it is whole, and nothing can follow.
  bool complete() { return opened().may_end && opened().ways.empty(); }

  /// From here on no byte can be taken back.
  void keep();
  /// Ways in which the text can have come about.
  size_t ways() { return opened().ways.size(); }

 private:
  /// Where a sequence goes on when what it asked for is told.
  struct Frame {
    const Sequence* sequence;
    size_t next;
    std::shared_ptr<const Frame> above;
  };
  struct Way {
    const Sequence* sequence;
    size_t next = 0;  // symbol of it
    size_t byte = 0;  // of that symbol's text
    std::shared_ptr<const Frame> above = {};
    std::shared_ptr<const DrawnRows> rows = {};
    bool capital = false;  // the next letter is one
    bool blank = false;    // one stands in front of the next byte, as a sentence begins
  };
  /// After a byte. `ways` end anywhere; once opened, all of them at the byte of a text.
  struct Place {
    std::vector<Way> ways;
    bool opened = false;
    bool may_end = false;
  };

  static bool before(const Way& a, const Way& b);
  static bool same(const Way& a, const Way& b) { return !before(a, b) && !before(b, a); }
  static unsigned char byte_of(const Way& way);
  Place& opened();
  void open(std::vector<Way> ways, Place& place);

  const Grammar& grammar_;
  std::vector<Place> places_;  // after each byte since the last keep(); some are left from texts that went on
  size_t depth_ = 0;
  bool begun_ = false;  // bytes were kept
};

}  // namespace cria
