// The options of the commands that run a model or write it anew; each command is a function in a file of its own.
#include "app/commands.hpp"
#include "app/machines/divided_model.hpp"
#include "app/run/adapter.hpp"
#include "app/run/cache_type.hpp"
#include "app/run/chat.hpp"
#include "app/run/fill.hpp"
#include "app/run/sample.hpp"
#include "app/serve/serve.hpp"
#include "app/texts/answer.hpp"
#include "app/weights/convert.hpp"
#include "app/weights/eval.hpp"
#include "app/weights/importance.hpp"
#include "app/weights/info.hpp"
#include "app/weights/plan.hpp"
#include "app/weights/quantise.hpp"
#include "app/weights/trace.hpp"

namespace cria {

void add_distribution_options(CLI::App& command, SamplingChoice& choice) {
  command.footer(
      "What is not given of temperature, top-k, top-p, min-p and repetition penalty is as the model's\n"
      "generation_config.json says; without such a file, temperature 1 and nothing else.");
  command.add_option("--temperature", choice.temperature, "0: always the most probable token");
  command.add_option("--top-k", choice.top_k, "Only the k most probable tokens; 0: all");
  command.add_option("--top-p", choice.top_p, "Only the most probable tokens that together reach p; 1: all");
  command.add_option("--min-p", choice.min_p, "Only tokens of at least this share of the largest probability");
  command.add_option("--repetition-penalty", choice.repetition_penalty,
                     "Above 1: tokens that were there become less probable");
}

void add_sampling_options(CLI::App& command, SamplingChoice& choice) {
  add_distribution_options(command, choice);
  command.add_option("--seed", choice.seed, "Same seed, same text")->capture_default_str();
  command.add_flag("--raw-seed", choice.raw_seed, "Use the seed as llama2.c does");
}

void add_model_commands(CLI::App& app, int& code) {
  {
    auto [c, o] = command<AnswerOptions>(app, "answer", "Let a model answer a file of requests", run_answer, code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
    c->add_option("--adapter", o->adapter, adapter_help);
    c->add_option("--requests", o->requests, "As `stories --requests` writes them")->required();
    c->add_option("--out", o->out, "The requests with the model's answers, for `judge --requests`")->required();
    c->add_option("--grammar", o->grammar, "Another grammar; see docs/stories.md");
    add_sampling_options(*c, o->sampling);
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
  }
  {
    auto [c, o] = command<SampleOptions>(app, "sample", "Let a model go on from a prompt", run_sample, code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
    c->add_option("--adapter", o->adapter, adapter_help);
    c->add_option("-p,--prompt", o->prompt, "Text to go on from; - reads it from standard input");
    c->add_option("--prompt-file", o->prompt_file, "A file with the text to go on from");
    c->add_option("-n,--tokens", o->tokens, "At most so many tokens")->capture_default_str();
    c->add_option(
        "--count", o->count,
        "So many texts of each prompt, one a line, with the seeds from --seed on: those that one by one would be");
    c->add_option("--prompts", o->prompts, "A file with a prompt a line, for one text each, or --count texts");
    c->add_option("--batch", o->batch, "Of many texts, how many are sampled side by side")->capture_default_str();
    add_sampling_options(*c, o->sampling);
    c->add_option("--threads", o->threads,
                  "Threads; 0: one for each CPU. The text does not depend on it, only on the CPU's kind");
    c->add_option("--cache-type", o->cache_type, cache_type_help)->capture_default_str();
    c->add_option("--stop", o->stops, "End before this text; may be given several times");
    c->add_option("--parallel", o->parallel, parallel_help);
    c->add_option("--schema", o->schema, schema_help);
    c->add_option("--grammar", o->grammar, grammar_help);
    c->add_option("--draft", o->draft.model, draft_help);
    c->add_option("--draft-tokens", o->draft.tokens, "Tokens that are guessed for each pass, at most")
        ->capture_default_str();
    c->add_flag("--json", o->json, "Text and figures as JSON; of many texts, a line for each");
  }
  {
    auto [c, o] = command<ChatOptions>(app, "chat", "Talk with a model that was trained for it", run_chat, code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
    c->add_option("--adapter", o->adapter, adapter_help);
    c->add_option(
        "-p,--prompt", o->prompt,
        "One question, and no conversation; - reads it from standard input. Without it, each line is a message");
    c->add_option("--system", o->system, "What the model is told first");
    c->add_option("--template", o->chat_template,
                  "llama2, codellama, codellama-70b, llama3, llama3.1, llama3.2, chatml, alpaca, or a file in Jinja; "
                  "default: the model's own");
    c->add_option("-n,--tokens", o->tokens, "At most so many tokens in an answer")->capture_default_str();
    c->add_option("--context", o->context, "Tokens that the model remembers; 0: as it was trained, at most 4096");
    add_sampling_options(*c, o->sampling);
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
    c->add_option("--cache-type", o->cache_type, cache_type_help)->capture_default_str();
    c->add_flag("--stats", o->stats, "Say tokens and speed after each answer");
  }
  {
    auto [c, o] = command<FillOptions>(app, "fill", "Let Code Llama write what stands between two parts of a text",
                                       run_fill, code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …")->required();
    c->add_option("file", o->file, "A file with a marker where something is to be written; - is standard input");
    c->add_option("--prefix", o->prefix, "Instead of a file: what stands before the gap");
    c->add_option("--suffix", o->suffix, "What stands behind it");
    c->add_option("--marker", o->marker, "What marks the gap in a file")->capture_default_str();
    c->add_flag("--suffix-first", o->suffix_first, "Show the model the suffix first (SPM instead of PSM)");
    c->add_option("-n,--tokens", o->tokens, "At most so many tokens")->capture_default_str();
    add_sampling_options(*c, o->sampling);
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
    c->add_option("--cache-type", o->cache_type, cache_type_help)->capture_default_str();
  }
  {
    auto [c, o] = command<EvalOptions>(app, "eval", "Measure how well a model predicts a text", run_eval, code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
    c->add_option("--adapter", o->adapter, adapter_help);
    c->add_option("--data", o->data, "Text files, folders of them, -, \"stories\" or \"zipf\"")
        ->required()
        ->allow_extra_args(false);
    c->add_option(
        "--against", o->against,
        "Another model with the same tokens: also the mean KL divergence of the next token's probabilities from "
        "that model's");
    c->add_flag("--packed", o->packed,
                "Multiply weights as sample does: in the types of the file, blocks with activations of 8 bits");
    c->add_option("--context", o->context, "Tokens that the model sees at a time; 0: as many as it was trained for");
    c->add_option("--cache-type", o->cache_type, cache_type_help)->capture_default_str();
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU");
    c->add_option("--seed", o->seed, "Seed of the stories")->capture_default_str();
    c->add_flag("--json", o->json, "Figures as JSON");
  }
  {
    auto [c, o] =
        command<InfoOptions>(app, "info", "Show the CPU and kernels in use, and what a model costs", run_info, code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …");
    c->add_option("--cache-type", o->cache_type, cache_type_help)->capture_default_str();
    c->add_flag("--json", o->json, "Figures as JSON");
  }
  {
    auto [c, o] = command<PlanOptions>(
        app, "plan", "Show what a Llama takes: parameters, memory, operations, and time on this machine", run_plan,
        code);
    c->add_option("model", o->model, "A preset (llama-2-7b, …), a recipe, or a model's header")->required();
    c->add_option("--context", o->context, "Tokens in a sequence; default: the model's context");
    c->add_option("--batch", o->batch, "Sequences that are sampled side by side")->capture_default_str();
    c->add_option("--cache-type", o->cache_type, cache_type_help)->capture_default_str();
    c->add_option("--type", o->type, "Only weights of this type: F32, F16, BF16, Q8_0, Q4_K, …");
    c->add_option("--tokens", o->tokens, "To train on: 15e12 or 15T; default: as published, or 20 for each parameter")
        ->type_name("NUMBER")
        ->transform(
            CLI::AsNumberWithUnit(std::map<std::string, double>{{"K", 1e3}, {"M", 1e6}, {"B", 1e9}, {"T", 1e12}},
                                  CLI::AsNumberWithUnit::CASE_SENSITIVE, "NUMBER"));
    c->add_option("--machines", o->machines, "Machines that work together")->capture_default_str();
    c->add_option("--network", o->network, "What goes between them, in Gbit/s; default 10");
    c->add_option("--latency", o->latency, "And how long it takes at least, in microseconds; default 50");
    c->add_flag("--measure", o->measure, "Under mpirun: measure what is predicted for so many machines");
    c->add_flag("--json", o->json, "Figures as JSON");
  }
  {
    auto [c, o] = command<TraceOptions>(
        app, "trace", "Write every intermediate of a forward pass, or compare it with another's", run_trace, code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …; default: the small one that comes with cria");
    c->add_option("--adapter", o->adapter, adapter_help);
    c->add_option("-p,--prompt", o->prompt, "A text, or - for standard input");
    c->add_option("--tokens", o->tokens, "Instead of a text: .npy of token ids, (T) or (B, T)");
    c->add_option("--out", o->out, "Folder for the tensors")->required();
    c->add_flag("--gradients", o->gradients, "Also loss and grads.safetensors");
    c->add_option("--against", o->against, "Folder with tensors of the same names to compare with");
    c->add_option("--tolerance", o->tolerance, "Largest difference that counts as equal")->capture_default_str();
    c->add_flag("--json", o->json, "The comparison as JSON");
  }
  {
    auto [c, o] =
        command<ConvertOptions>(app, "convert", "Write a model in another form or another type", run_convert, code);
    c->add_option("in", o->from, "A model: a folder, a GGUF file, …")->required();
    c->add_option("out", o->to, "A GGUF file when the name ends in .gguf, else a folder in Hugging Face's layout")
        ->required();
    c->add_option("--type", o->type,
                  "Of the weights: F32, F16 or BF16, in a GGUF file also Q8_0 or Q4_0; default: each as it is, or F32");
    c->add_option("--adapter", o->adapter,
                  "A folder with a LoRA adapter of PEFT's (adapter_config.json), which is merged into the weights");
    c->add_option("--kv-heads", o->kv_heads,
                  "Make so many key and value heads, each the mean of a group; to be trained on with train --from");
    c->add_flag("--overwrite", o->overwrite, "Replace what is at OUT");
  }
  {
    auto [c, o] =
        command<QuantiseOptions>(app, "quantise", "Write a model with weights of 2 to 8 bits", run_quantise, code);
    c->add_option("in", o->from, "A model: a folder, a GGUF file, …")->required();
    c->add_option("out", o->to, "A GGUF file, with a name that ends in .gguf")->required();
    c->add_option(
         "--type", o->type,
         "Of all matrices: Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL or IQ4_XS; or a\n"
         "mixture of llama.cpp's: Q4_K_S, Q4_K_M, Q5_K_S or Q5_K_M")
        ->required();
    c->add_option("--importance", o->importance,
                  "A file of `cria importance` or llama.cpp: how much an error in each column matters");
    c->add_option("--gptq", o->gptq,
                  "Round by GPTQ, to Q4_0 or Q4_1: text files, folders of them, -, or \"stories\" to calibrate with")
        ->allow_extra_args(false);
    c->add_flag("--act-order", o->act_order, "Of GPTQ: round the columns with the largest inputs first");
    c->add_option("--damping", o->damping, "Of GPTQ: what is added to the diagonal, by its mean; default 0.01");
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU. The result does not depend on it");
    c->add_flag("--overwrite", o->overwrite, "Replace what is at OUT");
  }
  {
    auto [c, o] = command<ImportanceOptions>(app, "importance",
                                             "Measure on a text how much each column of a model's matrices matters",
                                             run_importance, code);
    c->add_option("model", o->model, "A model: a folder, a GGUF file, …")->required();
    c->add_option("--data", o->data, "Text files, folders of them, -, or \"stories\"")
        ->required()
        ->allow_extra_args(false);
    c->add_option("--out", o->out, "A GGUF file, for `cria quantise --importance` and llama.cpp")->required();
    c->add_option("--threads", o->threads, "Threads; 0: one for each CPU. The result does not depend on it");
    c->add_flag("--overwrite", o->overwrite, "Replace what is at OUT");
  }
}

}  // namespace cria
