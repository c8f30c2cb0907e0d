// cria sample
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/run/constraint.hpp"
#include "app/run/speculative.hpp"
#include "chapters/09-sampling/generate.hpp"
#include "chapters/12-open-weights/packed_model.hpp"

namespace cria {

/// Those that are not given are as the model's generation_config.json says.
struct SamplingChoice {
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<std::int32_t> top_k;
  std::uint64_t seed = 0;
  bool raw_seed = false;
};

struct SampleOptions {
  std::string model;                  // a folder; empty: the one in data/
  std::string adapter;                // a folder; empty: none
  std::optional<std::string> prompt;  // "-": what comes from standard input
  std::string prompt_file;            // instead of it
  std::optional<std::size_t> count;   // so many texts of each prompt, with seeds from the given one on
  std::string prompts;                // a file with a prompt a line
  std::size_t batch = 32;             // of many texts, how many side by side
  SamplingChoice sampling;
  std::size_t tokens = GenerationOptions().tokens;
  std::vector<std::string> stops;
  std::string schema, grammar;  // what the text has to be: files, "object", "stories"
  DraftOptions draft;
  std::size_t threads = 0;
  std::string cache_type = "f32";
  std::string parallel;  // under mpirun: tensor or pipeline
  bool json = false;
};

int run_sample(const SampleOptions& options);

/// Throws UserError for an option out of its range.
SamplingOptions choose_sampling(const SamplingChoice& choice, const SamplingOptions& model);

/// The folder that `model` names, or the one of the small trained model that comes with cria.
std::filesystem::path model_folder(const std::string& model);

/// `prompt`, or what standard input holds where it is "-", or the file.
std::string read_prompt(const std::optional<std::string>& prompt, const std::string& file = "");

/// The prompt's tokens, with the token that begins a text in front where the model knows one. Throws UserError when
/// there would be no token at all, or the model has no tokenizer.
std::vector<TokenId> prompt_tokens(const ModelView& model, std::string_view prompt);

}  // namespace cria
