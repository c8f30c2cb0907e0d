// cria chat: a conversation with a model.
#include "app/run/chat.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "app/output.hpp"
#include "app/run/adapter.hpp"
#include "app/run/cache_type.hpp"
#include "app/run/line_reader.hpp"
#include "app/thread_count.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/chat.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "lib/base/check.hpp"
#include "lib/base/interrupt.hpp"

namespace cria {
namespace {

constexpr const char* help =
    "/reset         begin anew, with the same system message\n"
    "/system TEXT   what the model is told first; without a text, nothing\n"
    "/save FILE     write the conversation, as JSON\n"
    "/load FILE     go on with one that was written\n"
    "/stats         tokens, speed and context, now and after each answer\n"
    "/quit          end; so does Ctrl-D, or Ctrl-C in an empty line. Ctrl-C stops an answer\n"
    "A line that begins with // is a message that begins with /.\n";

/// A conversation on the screen, or in a pipe.
class ChatProgram {
 public:
  ChatProgram(Chat& chat, size_t context, bool stats) : chat_(chat), context_(context), stats_(stats) {}

  void ask(const std::string& question, bool interruptible) {
    using Clock = std::chrono::steady_clock;
    std::optional<StopSignals> signals;
    if (interruptible) signals.emplace(StopSignals::Which::interrupt);
    const auto begin = Clock::now();
    std::optional<Clock::time_point> first;
    const auto show = [&](std::string_view part) {
      if (!first && !part.empty()) first = Clock::now();
      print_bytes(part);
      flush_output();
    };
    const ChatAnswer answer = chat_.ask(question, show, signals ? &signals->requested() : nullptr);
    const auto end = Clock::now();
    print_bytes(interruptible ? "\n\n" : "\n");
    flush_output();
    if (answer.forgotten > 0)
      fmt::print(stderr, "cria: the context of {} tokens is full: the model has forgotten the oldest {} messages\n",
                 context_, answer.forgotten);
    if (answer.cut) fmt::print(stderr, "cria: the answer ends here, as the context of {} tokens is full\n", context_);
    const auto seconds = [](auto duration) { return std::chrono::duration<double>(duration).count(); };
    last_ =
        fmt::format("{} tokens in the prompt, of which {} were new: {:.2f} s; {} tokens in the answer: {:.1f} tokens/s",
                    answer.prompt_tokens, answer.read_tokens, seconds(first.value_or(end) - begin), answer.tokens,
                    double(answer.tokens) / std::max(seconds(end - first.value_or(begin)), 1e-9));
    if (stats_) fmt::print(stderr, "cria: {}\n", last_);
  }

  /// What a line asks for; false where it ends the conversation.
  bool obey(const std::string& line, bool interruptible) {
    if (line.starts_with("//")) return ask(line.substr(1), interruptible), true;
    if (!line.starts_with('/')) {
      if (line.find_first_not_of(" \t\r") != line.npos) ask(line, interruptible);
      return true;
    }
    const size_t blank = std::min(line.find(' '), line.size());
    const std::string name = line.substr(0, blank), text = line.substr(std::min(blank + 1, line.size()));
    const auto need_file = [&] {
      if (text.empty()) throw UserError(fmt::format("{} needs a file", name));
      return text;
    };
    if (name == "/quit" || name == "/exit") return false;
    if (name == "/help")
      print_bytes(help);
    else if (name == "/reset")
      chat_.reset();
    else if (name == "/system")
      chat_.set_system(text);
    else if (name == "/save")
      write_messages(need_file(), chat_.messages());
    else if (name == "/load")
      chat_.set_messages(read_messages(need_file()));
    else if (name == "/stats")
      stats_ = true, fmt::print(stderr, "cria: {}\n", last_.empty() ? "nothing was asked yet" : last_);
    else
      throw UserError(
          fmt::format("there is no command {}; /help shows all, and // begins a message with /", in_quotes(name)));
    return true;
  }

 private:
  Chat& chat_;
  size_t context_;
  bool stats_;
  std::string last_;  // figures of the last answer
};

std::tm local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return local;
}

}  // namespace

size_t chosen_context(size_t wanted, const LlamaConfig& config) {
  constexpr size_t usual = 4096;  // at most, where none is asked for: its cache takes memory
  if (wanted == 0) return std::min(config.context, usual);
  if (wanted > config.context)
    throw UserError(fmt::format("--context is {}, but the model reads at most {} tokens", wanted, config.context));
  return wanted;
}

int run_chat(const ChatOptions& options) {
  const std::filesystem::path path = model_folder(options.model);
  const std::string question = read_prompt(options.prompt);
  PackedModel model = open_packed_model(path);
  model.weights = with_adapter(model.weights, options.adapter);
  const GenerationConfig defaults = read_generation_config(path, model.config.llama.vocabulary_size);
  ChatTemplate chat_template =
      open_chat_template(format_folder(path, model, options.adapter), model, options.chat_template);
  ChatSettings settings;
  settings.generation.sampling = choose_sampling(options.sampling, defaults.sampling);
  settings.generation.tokens = options.tokens;
  settings.ends = defaults.with_ends(answer_ends(model));
  settings.context = chosen_context(options.context, model.config.llama);
  settings.now = local_time();
  settings.threads = thread_count(options.threads);
  settings.cache_type = read_cache_type(options.cache_type, model.config.llama);
  const size_t context = settings.context;
  Chat chat(model, std::move(chat_template), std::move(settings));
  chat.set_system(options.system);
  ChatProgram program(chat, context, options.stats);

  if (options.prompt) {
    program.ask(question, false);
    return 0;
  }
  LineReader lines("> ");
  if (lines.on_terminal()) fmt::print(stderr, "/help shows the commands; Ctrl-D ends.\n");
  while (const auto line = lines.next()) {
    try {
      if (!program.obey(*line, lines.on_terminal())) break;
    } catch (const UserError& error) {
      if (!lines.on_terminal()) throw;
      fmt::print(stderr, "cria: {}\n", one_line(error.what()));
    }
  }
  return 0;
}

}  // namespace cria
