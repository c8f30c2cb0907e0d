// ByteAcceptor: which texts are allowed, asked byte by byte, with steps back.
#pragma once

namespace cria {

/// A set of texts, and one that is being written. What is written so far always begins some text of the set.
class ByteAcceptor {
 public:
  virtual ~ByteAcceptor() = default;

  /// Writes one more byte. False, and nothing has changed, where no text of the set goes on so.
  virtual bool push(unsigned char byte) = 0;
  /// Takes the last byte back.
  virtual void pop() = 0;
  /// Whether the text is one of the set as it is.
  virtual bool may_end() = 0;
};

}  // namespace cria
