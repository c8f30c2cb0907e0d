// Files that become shorter while they are mapped: the system answers a look at what is gone with the signal SIGBUS.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace cria {

/// From now on such a look ends the program with one line that names the file, and exit code 2. What else raises SIGBUS
/// does what it did before. For programs: a library leaves signals alone.
void explain_shrunk_files();

/// Says that these bytes are a file's, until they are forgotten. Called by MappedFile.
void remember_mapping(std::span<const std::byte> bytes, int descriptor, std::string_view name);
void forget_mapping(const std::byte* begin);
/// Throws UserError when the file that is mapped there has become shorter.
void require_whole_mapping(const std::byte* begin);

}  // namespace cria
