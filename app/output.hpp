// Standard output, where it goes wrong: closed before the program starts, or on a disk that is full.
#pragma once

#include <string_view>

namespace cria {

/// Gives a standard stream that was closed before the start to /dev/null. Its number would else go to the next file
/// that is opened, a log or a model, and what is printed would land in it.
void open_standard_streams();

/// Prints any bytes as they are. Throws UserError with the reason when they cannot be written.
void print_bytes(std::string_view bytes);

/// Writes out what is still in the buffer; otherwise as print_bytes.
void flush_output();

/// Of a part of a demo.
void print_heading(std::string_view text);

/// Whatever is printed from now on goes nowhere.
void discard_output();

}  // namespace cria
