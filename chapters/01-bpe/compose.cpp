// NFC by utf8proc, for each stretch of valid UTF-8.
#include "chapters/01-bpe/compose.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "chapters/01-bpe/split.hpp"

namespace cria {

std::string compose(std::string_view text) {
  if (std::ranges::all_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; }))
    return std::string(text);
  std::string composed;
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
    while (end < text.size() && character_at(text, end).code_point >= 0) end += character_at(text, end).size;
    utf8proc_uint8_t* result = nullptr;
    const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + begin),
                                   static_cast<utf8proc_ssize_t>(end - begin), &result,
                                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, std::free);
    if (size < 0) throw std::bad_alloc();  // all else that can go wrong is excluded
    composed.append(reinterpret_cast<const char*>(result), static_cast<std::size_t>(size));
    while (end < text.size() && character_at(text, end).code_point < 0) composed += text[end++];
  }
  return composed;
}

}  // namespace cria
