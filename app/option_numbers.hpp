// Numbers on the command line, read the same way for every option of every command.
#pragma once

namespace CLI {
class App;
}

namespace cria {

/// Makes each option that is a number say what it was given and what it expects. CLI11 by itself reads -1 as
/// 18446744073709551615, 010 as eight and what is too large as the largest, or says only that it could not convert.
void expect_numbers(CLI::App& app);

}  // namespace cria
