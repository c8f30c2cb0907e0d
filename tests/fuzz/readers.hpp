// The readers of files from strangers, as the fuzzer knows them.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace cria::fuzz {

struct Reader {
  const char* name;
  const char* file;                            // what the input is called in its folder
  void (*read)(const std::filesystem::path&);  // the file; a UserError is an answer, all else a fault
  std::vector<std::string> (*seeds)();         // files to begin with, as cria writes them or by hand
};

std::span<const Reader> readers();

// seeds.cpp
std::vector<std::string> safetensors_seeds();
std::vector<std::string> gguf_seeds();
std::vector<std::string> torch_seeds();
std::vector<std::string> sentencepiece_seeds();
std::vector<std::string> llama2c_tokenizer_seeds();
std::vector<std::string> tokenizer_json_seeds();
std::vector<std::string> tiktoken_seeds();
std::vector<std::string> config_seeds();
std::vector<std::string> npy_seeds();
std::vector<std::string> llama2c_seeds();
std::vector<std::string> template_seeds();
std::vector<std::string> recipe_seeds();
std::vector<std::string> grammar_seeds();
std::vector<std::string> importance_seeds();

}  // namespace cria::fuzz
