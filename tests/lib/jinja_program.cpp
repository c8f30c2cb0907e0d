// Renders templates for jinja_oracle.py: reads {"template", "variables", "now"} as JSON, one a line, and answers with
// {"text"} or {"error"}, one a line.
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/base/check.hpp"
#include "lib/jinja/template.hpp"

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = nlohmann::ordered_json::parse(line);
    nlohmann::ordered_json answer;
    try {
      std::optional<std::tm> now;
      if (request.contains("now")) {
        const auto seconds = request["now"].get<std::time_t>();
        now.emplace();
        gmtime_r(&seconds, &*now);
      }
      answer["text"] = cria::jinja::Template(request["template"].get<std::string>()).render(request["variables"], now);
    } catch (const cria::UserError& error) {
      answer["error"] = error.what();
    }
    std::cout << answer.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  }
}
