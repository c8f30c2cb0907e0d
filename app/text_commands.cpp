// The options of the commands on tokens, and on the built-in stories.
#include "app/commands.hpp"
#include "app/texts/judge.hpp"
#include "app/texts/stories.hpp"
#include "app/weights/tokenize.hpp"

namespace cria {

void add_text_commands(CLI::App& app, int& code) {
  CLI::App* tokenize = app.add_subcommand("tokenize", "Train a tokenizer, and turn text into tokens and back");
  tokenize->require_subcommand(1);
  {
    auto [c, o] = command<TokenizeTrainOptions>(*tokenize, "train", "Learn a tokenizer from files of any length",
                                                run_tokenize_train, code);
    c->add_option("--data", o->data, "Text files, folders of them, or -")->required();
    c->add_option("--kind", o->kind, "bpe (of bytes, as Llama 3) or sentencepiece (as Llama 2)")->capture_default_str();
    c->add_option("--separator", o->separator, "Stands between a file's documents; no token has a part of it")
        ->capture_default_str();
    c->add_option(
        "--special", o->special_tokens,
        "Special tokens; default of bpe: <|begin_of_text|> and <|end_of_text|>, which training a model wants; "
        "sentencepiece has <unk>, <s> and </s> besides");
    c->add_option("--vocabulary", o->vocabulary, "Tokens, bytes and special ones included")->capture_default_str();
    c->add_option("--pattern", o->pattern,
                  "How bpe splits text before merging: llama3 (default), gpt2, none, smollm, qwen2, cl100k, llama-cpp");
    c->add_option(
        "--coverage", o->coverage,
        "Share of the text's characters that sentencepiece gives tokens; others become bytes; default 0.99995");
    c->add_option("--out", o->folder, "Folder for tokenizer.json")->capture_default_str();
    c->add_flag("--json", o->json, "Figures as JSON");
  }
  {
    auto [c, o] =
        command<TokenizeEncodeOptions>(*tokenize, "encode", "Turn text into token ids", run_tokenize_encode, code);
    c->add_option("tokenizer", o->tokenizer,
                  "A folder, a tokenizer.json, a tokenizer.model of Llama 2 or 3, or a GGUF file")
        ->required();
    c->add_option("text", o->text, "The text");
    c->add_option("--file", o->file, "A file instead of a text; - is standard input");
    c->add_flag("--special", o->special, "Special tokens in the text are tokens, not plain text");
    c->add_flag("--json", o->json, "Ids and pieces as JSON");
  }
  {
    auto [c, o] =
        command<TokenizeDecodeOptions>(*tokenize, "decode", "Turn token ids into text", run_tokenize_decode, code);
    c->add_option("tokenizer", o->tokenizer,
                  "A folder, a tokenizer.json, a tokenizer.model of Llama 2 or 3, or a GGUF file")
        ->required();
    c->add_option("ids", o->ids, "Token ids")->required();
    c->add_flag("--json", o->json, "The text as JSON");
  }
  {
    auto [c, o] = command<StoriesOptions>(app, "stories", "Write stories of the built-in corpus, or show its figures",
                                          run_stories, code);
    c->add_option("--count", o->count, "How many")->capture_default_str();
    c->add_option("--seed", o->seed, "Same seed, same stories")->capture_default_str();
    c->add_option("--out", o->out, "A file; default: the screen");
    c->add_option("--grammar", o->grammar,
                  "Another grammar, a file, or \"zipf\": facts with Zipf's weights; see docs/stories.md");
    c->add_flag("--requests", o->requests,
                "Requests with stories that answer them, in Alpaca's JSON form, with each answer's exact probability");
    c->add_option("--turns", o->turns, "Of --requests: dialogues of so many, as chat messages, about short stories");
    c->add_flag("--instructed", o->instructed,
                "Of --turns: before half of the questions, by chance, stands an instruction that their answers obey");
    c->add_flag("--held-out", o->held_out, "Of --requests: those combinations that training never meets");
    c->add_flag("--statistics", o->statistics, "The grammar's exact figures instead of stories");
    c->add_flag("--json", o->json, "The figures of --statistics or --out as JSON");
  }
  {
    auto [c, o] =
        command<JudgeOptions>(app, "judge", "Judge stories that a model has written, one a line", run_judge, code);
    c->add_option("file", o->file, "The stories")->required();
    c->add_option("--separator", o->separator,
                  "What stands between two stories, so that one may have several lines; default: the end of a line");
    c->add_option("--grammar", o->grammar,
                  "Another grammar, a file, or \"zipf\": facts with Zipf's weights; see docs/stories.md");
    c->add_flag("--requests", o->requests,
                "The file has requests with answers, as `stories --requests` writes them: say what was obeyed");
    c->add_option("--faults", o->faults, "Examples of what was wrong")->capture_default_str();
    c->add_flag("--json", o->json, "Figures as JSON");
  }
}

}  // namespace cria
