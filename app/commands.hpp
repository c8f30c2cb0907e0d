// How a command is added to the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

namespace cria {

struct SamplingChoice;

/// Adds a command whose options live as long as the program; `run` is called when it is chosen, and no command of its
/// own.
template <class Options>
std::pair<CLI::App*, Options*> command(CLI::App& parent, const char* name, const char* help, int (*run)(const Options&),
                                       int& code) {
  auto options = std::make_shared<Options>();
  CLI::App* app = parent.add_subcommand(name, help);
  app->callback([options, run, app, &code] {
    if (app->get_subcommands().empty()) code = run(*options);
  });
  return {app, options.get()};
}

/// How a model is sampled, but for the seed.
void add_distribution_options(CLI::App& command, SamplingChoice& choice);
/// The options of the commands that sample.
void add_sampling_options(CLI::App& command, SamplingChoice& choice);

void add_training_commands(CLI::App& app, int& code);
void add_model_commands(CLI::App& app, int& code);
void add_text_commands(CLI::App& app, int& code);
void add_serve_command(CLI::App& app, int& code);
void add_look_command(CLI::App& app, int& code);

/// Adds bench, book, figure and learn. In cria itself they hand over to a program of their own (tools.cpp), which is
/// built when it is first used; such a program has its command in place of that.
void add_tools(CLI::App& app, int& code);

}  // namespace cria
