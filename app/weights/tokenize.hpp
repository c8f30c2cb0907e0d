// cria tokenize train | encode | decode
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cria {

struct TokenizeTrainOptions {
  std::string kind = "bpe";       // of bytes, or "sentencepiece"
  std::vector<std::string> data;  // files, folders of files, pipes
  std::string separator = "<|endoftext|>";
  std::vector<std::string> special_tokens;  // instead of those of BpeOptions; besides those of SentencePieceOptions
  std::size_t vocabulary = 4096;
  std::optional<std::string> pattern;  // of bpe: one of SplitPattern, llama3 unless given
  std::optional<double> coverage;      // of sentencepiece: the share of the text's characters that have tokens
  std::string folder = "tokenizer";  // gets tokenizer.json and tokenizer_config.json; tokenizer.model of sentencepiece
  bool json = false;
};

/// Trains a tokenizer on files of any length, saves it, and prints what it learned.
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
