// cria tokenize train | encode | decode
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cria {

struct TokenizeTrainOptions {
  std::vector<std::string> data;  // files, folders of files, pipes
  std::string separator = "<|endoftext|>";
  std::vector<std::string> special_tokens;  // instead of those of BpeOptions
  std::size_t vocabulary = 4096;
  std::string pattern = "llama3";    // or another of SplitPattern
  std::string folder = "tokenizer";  // gets tokenizer.json and tokenizer_config.json
  bool json = false;
};

/// Trains byte-level BPE on files of any length, saves it, and prints what it learned.
int run_tokenize_train(const TokenizeTrainOptions& options);

struct TokenizeEncodeOptions {
  std::string tokenizer;  // a model's or tokenizer's folder, a tokenizer.json, or Llama 3's tokenizer.model
  std::string text;
  std::string file;      // instead of text
  bool special = false;  // "<|end_of_text|>" in the text is that token, not its characters
  bool json = false;
};

/// Prints the ids, and the piece of text that each stands for.
int run_tokenize_encode(const TokenizeEncodeOptions& options);

struct TokenizeDecodeOptions {
  std::string tokenizer;
  std::vector<std::int32_t> ids;
  bool json = false;
};

/// Prints the text, byte for byte.
int run_tokenize_decode(const TokenizeDecodeOptions& options);

}  // namespace cria
