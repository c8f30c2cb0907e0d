// The sections of `cria bench`: each makes its cases, which cost nothing until they are measured.
#pragma once

#include <string>
#include <vector>

#include "app/bench/against.hpp"
#include "app/bench/machine.hpp"
#include "chapters/08-llama/config.hpp"
#include "lib/formats/element_type.hpp"

namespace cria::bench {

/// A model's shape, and what it is called.
struct NamedConfig {
  std::string name;
  LlamaConfig config;
};

struct Setting {
  const Machine& machine;
  std::vector<size_t> thread_counts;       // 1 and the most, or only 1
  std::string target;                      // what runs where the target is not what is compared
  const OtherGemm* other = nullptr;        // a library to measure beside ours
  std::optional<NamedConfig> config = {};  // of the user
  std::string tokenizer = {}, text = {};   // files of the user, or empty
  std::vector<ElementType> types = {};     // of weights

  size_t threads() const { return thread_counts.back(); }
};

/// The primitives of lib/simd, on every target that this machine has.
std::vector<Case> primitive_cases(const Setting& setting);
/// The chapters' components that are written with them.
std::vector<Case> component_cases(const Setting& setting);
/// The matrix products of training and decoding, on one thread and on all.
std::vector<Case> gemm_cases(const Setting& setting);
/// Whole training steps.
std::vector<Case> training_cases(const Setting& setting);
/// Prompts and generated tokens.
std::vector<Case> inference_cases(const Setting& setting);
/// The same, and batches of a few tokens, with weights of the types that are asked for.
std::vector<Case> packed_cases(const Setting& setting);
/// Learning a vocabulary, and encoding.
std::vector<Case> tokenizer_cases(const Setting& setting);

/// "15M", "110M", … with random weights: the shapes that others publish figures for.
std::vector<NamedConfig> known_configs();
NamedConfig known_config(const std::string& name);

}  // namespace cria::bench
