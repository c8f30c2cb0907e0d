// The lessons as `cria book` wrote them: where the page finds them, and as a server gives them out.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "lib/http/message.hpp"

namespace cria::look {

/// The folder beside that of the data; empty where there is no book in it.
std::filesystem::path book_folder();

constexpr std::string_view book_path = "/book/";

/// What a server has at a path below book_path; nothing where the book has no such file, or there is none. What is no
/// part of the book, such as hidden files and whatever is above its folder, is not given out.
std::optional<http::Response> book_file(const std::filesystem::path& book, std::string_view path);

}  // namespace cria::look
