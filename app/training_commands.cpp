// The options of the commands that train, or make what is trained on; each command is a function in a file of its own.
#include "app/commands.hpp"
#include "app/demo.hpp"
#include "app/finetune/align.hpp"
#include "app/finetune/finetune.hpp"
#include "app/finetune/method.hpp"
#include "app/machines/machines.hpp"
#include "app/run/adapter.hpp"
#include "app/texts/ghost.hpp"
#include "app/texts/instructions.hpp"
#include "app/texts/pairs.hpp"
#include "app/texts/self_chat.hpp"
#include "app/train/scaling.hpp"
#include "app/train/train.hpp"

namespace cria {
namespace {

/// The options of the commands that train.
void add_training_options(CLI::App& command, TrainOptions& options) {
  command.add_option("--steps", options.steps, "End after so many steps");
  command.add_option("--minutes", options.minutes, "End after so much time; default 10, of a resumed run its own");
  command.add_option("--threads", options.threads,
                     "Threads; 0: one for each CPU. The result does not depend on it, only on the CPU's kind");
  command.add_option("--seed", options.seed, "Seed of weights and data order; default 1");
  command.add_flag(
      "--resume", options.resume,
      "Go on from the checkpoint in --out, to the end that the run was given at first; --steps or --minutes set "
      "another, counted from its beginning");
  command.add_option("--save-minutes", options.save_minutes, "A checkpoint at least so often")->capture_default_str();
  command
      .add_option("--keep-every", options.keep_every,
                  "Keep a model after every so many steps, under steps/ in --out; 0: none")
      ->capture_default_str();
  command.add_option("--watch", options.watch,
                     "Show the run while it goes, on a page for browsers on this machine, at this port; 0: one that is "
                     "free, which is printed");
  command.add_option("--log", options.log, "JSON lines, one a step; default log.jsonl in --out");
  command.add_flag("--json", options.json, "Print only the last line of the log");
}

/// Those of the commands whose models write many texts.
void add_writer_options(CLI::App& command, ModelWriterOptions& options) {
  command.add_option("model", options.model,
                     "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
  command.add_option("-n,--tokens", options.tokens, "At most so many tokens in a message")->capture_default_str();
  add_sampling_options(command, options.sampling);
  command.add_option("--threads", options.threads, "Threads; 0: one for each CPU");
}

/// Those that make data for fine-tuning.
void add_instruction_commands(CLI::App& app, int& code) {
  CLI::App* instructions = app.add_subcommand("instructions", "Make and choose conversations to fine-tune on");
  instructions->require_subcommand(1);
  {
    auto [c, o] = command<InstructionFilterOptions>(*instructions, "filter",
                                                    "Keep of many instructions those that are unlike each other",
                                                    run_instruction_filter, code);
    c->add_option("data", o->data, "Files of conversations, in Alpaca's JSON form or as chat messages")->required();
    c->add_option("--out", o->out, "Those that are kept, one a line")->required();
    c->add_option("--similarity", o->filter.most_similar,
                  "ROUGE-L with one that was kept before, above which an instruction is dropped")
        ->capture_default_str();
    c->add_option("--least-words", o->filter.least_words, "Shorter instructions are dropped")->capture_default_str();
    c->add_option("--most-words", o->filter.most_words, "Longer ones are dropped")->capture_default_str();
  }
  {
    auto [c, o] = command<SelfChatCommand>(
        *instructions, "self-chat", "Let a chat model talk to itself, and write what was said", run_self_chat, code);
    add_writer_options(*c, o->writer);
    c->add_option("--questions", o->questions, "A file with a first question a line")->required();
    c->add_option("--out", o->out, "The conversations, for `finetune --data`")->required();
    c->add_option("--turns", o->turns, "Questions and answers in each")->capture_default_str();
    c->add_option("--instruction", o->instruction,
                  "What all answers are to obey: Ghost attention, by which the model learns to remember it");
  }
  {
    auto [c, o] = command<GhostOptions>(
        *instructions, "ghost", "Answer dialogues under an instruction, to learn to remember it", run_ghost, code);
    add_writer_options(*c, o->writer);
    c->add_option("--data", o->data, "Files of dialogues, as `finetune --data` takes them")->required();
    c->add_option("--instructions", o->instructions, "A file with an instruction a line; each dialogue gets one")
        ->required();
    c->add_option("--out", o->out, "The conversations, for `finetune --data`")->required();
  }
  {
    auto [c, o] = command<ObedienceCommand>(
        *instructions, "obedience", "Measure for how many turns a model keeps to an instruction", run_obedience, code);
    add_writer_options(*c, o->writer);
    c->add_option("--dialogues", o->measured.dialogues, "How many, side by side")->capture_default_str();
    c->add_option("--turns", o->measured.turns, "Questions and answers in each")->capture_default_str();
    c->add_flag("--reminded", o->measured.reminded,
                "The instruction stands before every question, not the first alone");
    c->add_option("--grammar", o->grammar, "Another grammar; see docs/stories.md");
    c->add_option("--log", o->log, "A line of JSON for each turn, for `figure obedience`");
  }
}

}  // namespace

void add_training_commands(CLI::App& app, int& code) {
  {
    auto [c, o] = command<DemoOptions>(
        app, "demo", "Tell a story, train a model for a minute and judge its stories; align: make it obey requests",
        run_demo, code);
    c->add_option("--minutes", o->minutes, "How long to train")->capture_default_str();
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
    auto [align, a] = command<AlignOptions>(
        *c, "align", "Make the small model obey requests, by each method in turn, and show what each gains", run_align,
        code);
    align->add_option("--minutes", a->minutes, "How long in all, on two cores")->capture_default_str();
    align->add_option("--from", a->from,
                      "A model's folder: what the methods after SFT begin with; default: a tuned one in data/");
    align->add_option("--threads", a->threads, "Threads; 0: one for each CPU");
    align->add_option("--seed", a->seed, "Of data and answers")->capture_default_str();
    align->add_option("--judged", a->judged, "Held-out requests that each model answers")->capture_default_str();
    align->add_option("--out", a->folder, "Folder for the models; default runs/align");
  }
  {
    auto [c, o] =
        command<TrainOptions>(app, "train", "Train a Llama from nothing, or a model further", run_train, code);
    c->add_option(
        "--data", o->data,
        "Text files, folders of them, - for standard input, \"stories\": the built-in corpus, or \"zipf\": facts with "
        "Zipf's weights; default stories");
    c->add_option("--recipe", o->recipe, "YAML with model, tokenizer, optimiser and data; see docs/recipes.md");
    c->add_option("--out", o->folder, "Folder for the model and its checkpoints; default runs/<data>");
    c->add_option("--tokenizer", o->tokenizer,
                  "bpe, bytes, characters, or the folder of an existing one; default bpe. With --from a folder: what "
                  "is new in it begins as the mean of its old pieces. A resumed run keeps its own");
    c->add_option("--from", o->from,
                  "A model's folder: go on from its weights, with its tokenizer, to a new model in --out");
    add_training_options(*c, *o);
    c->add_option("--parallel", o->parallel, training_ways_help);
    c->add_flag("--list-recipe", o->list_recipe, "Print every key of a recipe with its default and meaning, and end");
  }
  {
    auto [c, o] = command<FinetuneOptions>(app, "finetune", "Train a model further, to answer", run_finetune, code);
    c->add_option("model", o->from, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
    c->add_option("--method", o->method, method_help())->capture_default_str();
    c->add_option(
         "--data", o->data,
         "Files of conversations, in Alpaca's JSON form or as chat messages, or \"requests\": for built-in stories; "
         "default requests")
        ->allow_extra_args(false);
    c->add_option(
        "--reward", o->reward,
        "For rejection, ppo and grpo: the folder of a reward model to learn from; default: the exact judge, which "
        "knows the built-in requests only");
    c->add_option("--recipe", o->recipe, "YAML with optimiser, data and what the method has; see docs/recipes.md");
    c->add_flag("--list-recipe", o->list_recipe, "Print the keys that a recipe has for the method alone, and end");
    c->add_option("--out", o->folder, "Folder for the model and its checkpoints; default runs/<method>");
    add_training_options(*c, *o);
  }
  {
    auto [c, o] = command<PairsOptions>(
        app, "pairs", "Let a model answer built-in requests, and write pairs of a right and a wrong answer", run_pairs,
        code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
    c->add_option("--adapter", o->adapter, adapter_help);
    c->add_option("--out", o->out, "The pairs, for `finetune --method dpo`")->required();
    c->add_option("--count", o->count, "Requests")->capture_default_str();
    c->add_option("--samples", o->samples, "Answers to each of them")->capture_default_str();
    c->add_option("--temperature", o->temperature, "At which they are drawn")->capture_default_str();
    c->add_option("--seed", o->seed, "Of requests and answers")->capture_default_str();
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
  }
  {
    auto [c, o] = command<ScalingOptions>(
        app, "scaling", "Train models of several sizes with equal operations, and fit the laws of scaling", run_scaling,
        code);
    c->add_option("--budgets", o->budgets, "Operations, the smallest first: 1e12,3e12; default: four, for --minutes")
        ->delimiter(',');
    c->add_option("--sizes", o->sizes, "Models for each budget")->capture_default_str();
    c->add_option("--minutes", o->minutes, "How large the budgets are: what they take on two cores, about")
        ->capture_default_str();
    c->add_option("--data", o->data,
                  "\"stories\": the built-in corpus; or \"zipf\": facts with Zipf's weights, whose "
                  "exponents theory predicts")
        ->capture_default_str();
    c->add_option("--out", o->folder,
                  "Folder for the runs, in which a sweep goes on; default runs/scaling, or runs/scaling-zipf");
    c->add_flag("--llamas", o->llamas, "Print what a published law says of the Llamas' sizes, and end");
    c->add_option("--bootstrap", o->bootstrap, "Fits of runs that are drawn anew, for intervals")
        ->capture_default_str();
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU. The result does not depend on it");
    c->add_option("--seed", o->seed, "Seed of weights and data order")->capture_default_str();
  }
  add_instruction_commands(app, code);
}

}  // namespace cria
