#include "app/option_numbers.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

namespace cria {
namespace {

/// Empty, and the text rewritten plainly; or what is wrong with it.
std::string whole_number(std::string& text, std::uint64_t most) {
  std::uint64_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (end != last || error == std::errc::invalid_argument)
    return fmt::format("{} is not a whole number, 0 or more", text);
  if (error != std::errc() || number > most) return fmt::format("{} is too large, expected at most {}", text, most);
  text = fmt::format("{}", number);
  return "";
}

std::string number(std::string& text) {
  double value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (end != last || error == std::errc::invalid_argument) return fmt::format("{} is not a number", text);
  if (error != std::errc()) return fmt::format("{} is too large or too near to 0", text);
  return "";
}

void expect_number(CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (type == "FLOAT") option.transform(CLI::Validator(number, ""));
  // The few that are INT hold what is one of 32 bits, such as a token id.
  const std::uint64_t most = type == "UINT" ? std::numeric_limits<std::uint64_t>::max() : 0x7fffffff;
  if (type == "UINT" || type == "INT")
    option.transform(CLI::Validator([most](std::string& text) { return whole_number(text, most); }, ""));
}

}  // namespace

void expect_numbers(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) expect_number(*option);
  for (CLI::App* command : app.get_subcommands({})) expect_numbers(*command);
}

}  // namespace cria
