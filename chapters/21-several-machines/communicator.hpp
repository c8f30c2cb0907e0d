// Chapter 21: a communicator, through which processes that work on one thing reach each other.
//
// A group has N members, its ranks 0 … N - 1. All that happens between them is a transfer: one rank gives bytes,
// another takes them, and each waits for the other. So nothing can be overtaken, and nothing needs a barrier. The
// collectives are written in terms of it (collectives.hpp), and know nothing of what carries the bytes. Any thread of a
// rank may use it, one at a time: that is how a sum travels while another thread computes (lane_sum.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace cria {

class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual std::size_t rank() const = 0;
  virtual std::size_t size() const = 0;

  /// Waits until `to` has taken the bytes, or until they are on their way and may be overwritten. Which of both is not
  /// known, so two ranks that send to each other first and receive then may wait for ever. Throws UserError, naming it,
  /// when the other rank is lost.
  void send(std::size_t to, std::span<const std::byte> bytes);
  /// Waits for as many bytes of `from`. What it sends next must be as long.
  void receive(std::size_t from, std::span<std::byte> bytes);
  /// Both at once, so all ranks of a ring may do it.
  void exchange(std::size_t to, std::span<const std::byte> out, std::size_t from, std::span<std::byte> in);

  /// By this rank, since it was made. Nothing that a carrier adds is counted.
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  virtual void transfer(std::optional<std::size_t> to, std::span<const std::byte> out, std::optional<std::size_t> from,
                        std::span<std::byte> in) = 0;

  std::uint64_t bytes_sent_ = 0;
};

}  // namespace cria
