// The options of cria figure.
#include "app/commands.hpp"
#include "app/figure/figure.hpp"

namespace cria {

void add_tools(CLI::App& app, int& code) {
  auto [c, o] =
      command<FigureOptions>(app, "figure", "Draw a model's own tensors as SVG, for the lessons", run_figure, code);
  c->add_option("name", o->name, "Which; see --list")->capture_default_str();
  c->add_option("--model", o->model, "A model's folder; default: the small one that comes with cria");
  c->add_option("-p,--prompt", o->text, "The text to draw; default: the beginning of a built-in story");
  c->add_option("--out", o->folder, "Folder for the files")->capture_default_str();
  c->add_option(
       "--log", o->logs,
       "Log of the training run that loss draws, or of several for hacking and obedience; default log.jsonl in the "
       "model's folder")
      ->allow_extra_args(false);
  c->add_flag("--list", o->list, "Print the name of every figure and what it shows, and end");
}

}  // namespace cria
