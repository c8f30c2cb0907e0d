// cria bench memory: the most memory that training and decoding took, as the system counted it, against what `cria
// info` states before. Each runs in a process of its own, which begins with nothing but the program.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "app/bench/inference.hpp"
#include "app/bench/modes.hpp"
#include "app/bench/table.hpp"
#include "app/bench/training_run.hpp"
#include "app/thread_count.hpp"
#include "app/train/train.hpp"
#include "app/weights/memory.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/12-open-weights/save_gguf.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "lib/base/check.hpp"

namespace cria::bench {
namespace {

struct Measured {
  size_t stated = 0, most = 0;
};

/// What `body` states and then takes, run in a child.
template <class Body>
Measured in_own_process(Body&& body) {
  int ends[2];
  if (::pipe(ends) != 0) throw UserError("cria bench memory: the system gives no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    Measured measured;
    try {
      measured.stated = body();
      measured.most = process_memory().most;
    } catch (const std::exception& error) {
      fmt::print(stderr, "cria: {}\n", error.what());
    }
    const ssize_t written = ::write(ends[1], &measured, sizeof(measured));
    std::_Exit(written == sizeof(measured) ? 0 : 1);
  }
  Measured measured;
  ::close(ends[1]);
  const bool whole = child > 0 && ::read(ends[0], &measured, sizeof(measured)) == sizeof(measured);
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  if (!whole || measured.most == 0) throw UserError("cria bench memory: the system did not say what a process took");
  return measured;
}

/// So many tokens: the single bytes, and pairs of bytes.
std::unique_ptr<Tokenizer> tokenizer_of_pairs(size_t tokens) {
  BpeModel model = bytes_model({});
  model.pattern = SplitPattern::llama3;
  for (TokenId left = 0; left < 256; ++left)
    for (TokenId right = 0; right < 256 && model.vocabulary.size() < tokens; ++right) {
      const std::string pair = {static_cast<char>(left), static_cast<char>(right)};
      model.merges.push_back({left, right, static_cast<TokenId>(model.vocabulary.insert(pair))});
    }
  return std::make_unique<Tokenizer>(std::move(model));
}

/// A model's files in a folder that goes with it.
class ModelFiles {
 public:
  explicit ModelFiles(const LlamaConfig& config)
      : folder_(std::filesystem::temp_directory_path() / fmt::format("cria-bench-{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
    write_config(config_file(), {config, {}, {}});
    write_weights(weights_file(), *random_weights(config));
  }
  ~ModelFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path config_file() const { return folder_ / "config.json"; }
  std::filesystem::path weights_file() const { return folder_ / "model.safetensors"; }
  /// The same in Q8_0, with a tokenizer.
  std::filesystem::path write_packed() const {
    Model model = open_model(folder_);
    model.tokenizer = tokenizer_of_pairs(model.config.llama.vocabulary_size);
    save_gguf(folder_ / "model.gguf", model, types_to_write(model, ModelForm::gguf, ElementType::q8_0));
    return folder_ / "model.gguf";
  }

 private:
  std::filesystem::path folder_;
};

size_t train(const TrainingShape& shape, size_t threads) {
  const size_t stated = training_memory(shape.config, shape.options, threads).total();
  TrainingRun run(shape, threads);
  for (int step = 0; step < 3; ++step) run.step();
  return stated;
}

void fill_context(const LlamaWeights& weights, size_t threads) {
  const LlamaConfig& config = weights.config;
  Decoder decoder = make_decoder(weights, config.context, threads);
  decoder.feed(some_tokens(config, config.context - 32));
  for (const std::int32_t token : some_tokens(config, 32)) decoder.feed({&token, 1});
}

size_t decode(const ModelFiles& files, size_t threads) {
  const LlamaConfig config = read_config(files.config_file()).llama;
  const size_t stated = decoding_memory(config, config.context, threads).total();
  const LlamaParameters weights(config);
  read_weights(files.weights_file(), weights);
  fill_context(weights, threads);
  return stated;
}

size_t decode_packed(const std::filesystem::path& file, size_t threads) {
  const LlamaConfig config = open_config(file).llama;
  auto tokenizer = open_own_tokenizer(file);  // as `cria info` does
  DecodingMemory stated = decoding_memory(config, config.context, threads);
  stated.weights = packed_weight_bytes(file);
  tokenizer.reset();
  fill_context(open_packed_model(file).weights, threads);
  return stated.total();
}

Result result(const char* name, const std::string& shape, size_t threads, const Measured& measured) {
  const double stated = double(measured.stated), most = double(measured.most);
  return {.name = name,
          .shape = shape,
          .type = real_type,
          .target = simd::active().target,
          .threads = threads,
          .value = most * 1e-6,
          .unit = "MB",
          .limit = stated * 1e-6,
          .limited_by = "stated",
          .spread = 0,
          .fraction = most / stated};
}

}  // namespace

int bench_memory(const BenchOptions& options) {
  const size_t threads = thread_count(options.threads);
  std::vector<Result> results;
  for (const char* name : {"A", "B"}) {
    const TrainingShape shape = training_shape(name);
    results.push_back(result("training", name, threads, in_own_process([&] { return train(shape, threads); })));
  }
  for (const char* name : {"stories260K", "15M"}) {
    const NamedConfig known = known_config(name);
    const ModelFiles files(known.config);
    const std::string shape = fmt::format("{} context {}", name, known.config.context);
    results.push_back(result("decoding", shape, threads, in_own_process([&] { return decode(files, threads); })));
    const auto packed = files.write_packed();
    results.push_back(
        result("decoding Q8_0", shape, threads, in_own_process([&] { return decode_packed(packed, threads); })));
  }
  options.json ? print_json(results) : print_section("most memory", results);
  return 0;
}

}  // namespace cria::bench
