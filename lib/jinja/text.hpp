// What the methods of texts and the filters of texts share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/jinja/value.hpp"

namespace cria::jinja {

/// strip() of unicode.hpp, charged.
std::string strip_text(const std::string& text, bool left, bool right, const std::string* set, Budget& budget);
/// str.split, or str.rsplit from the right; at white space where there is no separator, any number where `most` < 0.
std::vector<Value> split_text(const std::string& text, const std::string* separator, std::int64_t most, bool from_right,
                              Budget& budget);
/// str.splitlines, whose parts point into `text`.
std::vector<std::string_view> split_lines(std::string_view text, Budget& budget);
std::string replace_text(const std::string& text, const std::string& old, const std::string& with, std::int64_t most,
                         Budget& budget);

}  // namespace cria::jinja
