// What is published of the training of each Llama, to hold an estimate against.
#pragma once

#include <string_view>

namespace cria {

struct PublishedTraining {
  std::string_view preset;
  double tokens;         // of pretraining; of Code Llama those that came on top of Llama 2's
  double positions;      // in a sequence, for most of the run
  double gpu_hours;      // 0 where no figure for this size is published
  std::string_view gpu;  // "A100"
  double operations;     // of the whole run, by the authors' own count; 0 where they give none
  std::string_view remark;
};

/// Nothing for a preset of whose training no more than its recipe is known. Sources stand in the table.
const PublishedTraining* published_training(std::string_view preset);

/// Floating-point operations a second that a GPU is sold with, for products of dense matrices in bfloat16: A100
/// 312e12, H100 989e12 (NVIDIA's data sheets).
double peak_of(std::string_view gpu);

}  // namespace cria
