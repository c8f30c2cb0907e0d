// A model that writes texts for prompts, many side by side, in its own chat format.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/run/answering_model.hpp"
#include "chapters/14-sft/instruction_encoder.hpp"
#include "chapters/14-sft/self_chat.hpp"

namespace cria {

struct ModelWriterOptions {
  std::string model;         // a folder or file; empty: the one in data/
  std::size_t tokens = 256;  // of one text, at most
  SamplingChoice sampling;
  std::size_t threads = 0;
};

class ModelWriter {
 public:
  /// At most so many texts at a time. Throws UserError for a model that cannot be read, or has no tokenizer.
  ModelWriter(const ModelWriterOptions& options, size_t texts);
  ModelWriter(const ModelWriter&) = delete;  // its parts point to each other

  /// As WriteTexts says; nothing for a prompt that leaves no room in the context. Each text has a seed of its own.
  std::vector<std::string> operator()(std::span<const TextPrompt> prompts, std::span<const std::string> stops);

  const std::filesystem::path& path() const { return answering_.path; }

 private:
  AnsweringModel answering_;
  size_t tokens_, context_;
  GenerationOptions generation_;
  std::optional<InstructionEncoder> encoder_;
  std::optional<BatchDecoder> decoder_;
};

}  // namespace cria
