// Pages: memory as the system hands it out, which takes no room before it is written, and can be given back.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace cria {

/// What the system gives and takes at a time.
std::size_t page_bytes();
/// What it gives at a time where it is asked for large pages (ZeroedBlock), which costs far less for as many bytes.
inline constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

/// These bytes are zeros afterwards, and those that fill whole pages take no memory until they are written again. They
/// must be a program's own (from new, malloc or a ZeroedBlock), and not of a file. Where the system cannot take single
/// pages back they are zeros only.
void give_back(std::span<std::byte> bytes);

/// Of the pages that these bytes lie in: what takes memory now, in whole pages. None where the system cannot be asked,
/// which also means that it cannot take single pages back.
std::optional<std::size_t> resident_bytes(std::span<const std::byte> bytes);

}  // namespace cria
