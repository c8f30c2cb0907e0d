// Chapter 21, what all communicators do alike.
#include "chapters/21-several-machines/communicator.hpp"

#include "lib/base/check.hpp"

namespace cria {

void Communicator::send(std::size_t to, std::span<const std::byte> bytes) {
  require(to < size() && to != rank(), "Communicator", "sends to a rank that is not another one");
  if (bytes.empty()) return;
  transfer(to, bytes, std::nullopt, {});
  bytes_sent_ += bytes.size();
}

void Communicator::receive(std::size_t from, std::span<std::byte> bytes) {
  require(from < size() && from != rank(), "Communicator", "receives from a rank that is not another one");
  if (bytes.empty()) return;
  transfer(std::nullopt, {}, from, bytes);
}

void Communicator::exchange(std::size_t to, std::span<const std::byte> out, std::size_t from, std::span<std::byte> in) {
  if (in.empty()) return send(to, out);
  if (out.empty()) return receive(from, in);
  require(to < size() && to != rank() && from < size() && from != rank(), "Communicator",
          "exchanges with a rank that is not another one");
  transfer(to, out, from, in);
  bytes_sent_ += out.size();
}

}  // namespace cria
