// The program: what is asked for is run, and what went wrong becomes one line and an exit code. The options are in the
// files *_commands.cpp, look/command.cpp and serve/command.cpp, those of the tools in tools.cpp and in the folder of
// each.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "app/commands.hpp"
#include "app/machines/machines.hpp"
#include "app/option_numbers.hpp"
#include "app/output.hpp"
#include "lib/base/check.hpp"
#include "lib/base/shrunk_file.hpp"

namespace {

using namespace cria;

/// Prints what was wrong as one line, whatever the names in it hold, and gives the exit code of wrong use. Of several
/// ranks, which all read the same command line, one says it; the others wait, as mpirun ends all when the first has
/// ended.
int refuse(std::string_view message) {
  if (launched().rank == 0)
    fmt::print(stderr, "cria: {}\n", one_line(message));
  else
    std::this_thread::sleep_for(std::chrono::seconds(1));
  return 2;
}

/// How --help tells the commands apart, by what one wants.
void group_commands(CLI::App& app) {
  const std::pair<const char*, std::vector<std::string>> groups[] = {
      {"To begin with, and to learn from", {"demo", "learn", "book", "figure"}},
      {"Running a model", {"sample", "chat", "serve", "look", "fill"}},
      {"Training one", {"train", "finetune", "scaling", "instructions", "answer", "pairs", "stories", "judge"}},
      {"Weights and tokens", {"info", "plan", "convert", "quantise", "importance", "tokenize"}},
      {"Measuring", {"eval", "trace", "bench"}}};
  for (CLI::App* known : app.get_subcommands({}))
    for (const auto& [group, names] : groups)
      if (std::ranges::find(names, known->get_name()) != names.end()) known->group(group);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("cria: the Llama family in C++20, to read, to prove and to run", "cria");
  app.require_subcommand(1);
  app.set_version_flag("--version", "cria " CRIA_VERSION);
  app.footer("The script ./cria knows two more: test [CHAPTER], and setup.");
#ifdef SIGXFSZ
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows beyond its limit is an error of that write, with a message
#endif
  explain_shrunk_files();
  int code = 0;
  try {
    open_standard_streams();
    add_training_commands(app, code);
    add_model_commands(app, code);
    add_text_commands(app, code);
    add_serve_command(app, code);
    add_look_command(app, code);
    add_tools(app, code);
    group_commands(app);
    expect_numbers(app);
    const auto is_meant = [&](const CLI::App* known) { return known->get_name() == argv[1]; };
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_meant).empty())
      return refuse(fmt::format("there is no command {}; see cria --help", argv[1]));
    const std::string name = argc > 1 ? argv[1] : "";
    if (launched().ranks > 1 && name.substr(0, 1) != "-" && name != "train" && name != "sample" && name != "plan")
      return refuse(fmt::format(
          "only train, sample and plan --measure run on several ranks, not {}; start that without mpirun", name));
    app.parse(argc, argv);
    flush_output();
    return code;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return refuse(fmt::format("{}; see cria --help", error.what()));
  } catch (const UserError& error) {
    return refuse(error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return refuse(fmt::format("cannot use {}: {}", error.path1().string(), error.code().message()));
  } catch (const std::system_error& error) {  // no thread could be started, or nothing printed
    return refuse(error.what());
  } catch (const std::bad_alloc& error) {
    return refuse(said_by(error));
  } catch (const std::exception& error) {
    fmt::print(stderr, "cria: this should not happen: {}\n", error.what());
    return 1;
  }
}
