// The options of cria look.
#include "app/commands.hpp"
#include "app/look/look.hpp"

namespace cria {

void add_look_command(CLI::App& app, int& code) {
  auto [c, o] = command<LookOptions>(
      app, "look", "Write a page on which to look inside a model while it reads a text; serve shows it live", run_look,
      code);
  c->add_option("model", o->model, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
  c->add_option("-p,--prompt", o->prompt,
                "The text, or - for standard input; default: the beginning of a built-in story");
  c->add_option("--prompt-file", o->prompt_file, "A file with the text");
  c->add_option("--out", o->out, "Folder for the page, whose index.html a browser opens")->required();
  c->add_option("--second-tokenizer", o->second_tokenizer,
                "A folder or file with another tokenizer, to be shown beside the model's");
  c->add_option("--run", o->run,
                "A training run's folder, or its log, to be shown as well, with the models of --keep-every");
  c->add_option(
      "--lessons", o->lessons,
      "The address that the chapters' folders are below; default: the book, if it was written, or the sources");
}

}  // namespace cria
