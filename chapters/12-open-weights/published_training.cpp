#include "chapters/12-open-weights/published_training.hpp"

#include <algorithm>
#include <iterator>

#include "lib/base/check.hpp"

namespace cria {
namespace {

constexpr PublishedTraining runs[] = {
    // Touvron et al. 2023, arXiv:2302.13971: tokens in table 2, hours in table 15.
    {"llama-7b", 1.0e12, 2048, 82432, "A100", 0, ""},
    {"llama-13b", 1.0e12, 2048, 135168, "A100", 0, ""},
    {"llama-33b", 1.4e12, 2048, 530432, "A100", 0, ""},
    {"llama-65b", 1.4e12, 2048, 1022362, "A100", 0, ""},
    // Touvron et al. 2023, arXiv:2307.09288: tables 1 and 2. With the 34B, which was not released, 3.3M hours.
    {"llama-2-7b", 2.0e12, 4096, 184320, "A100", 0, ""},
    {"llama-2-13b", 2.0e12, 4096, 368640, "A100", 0, ""},
    {"llama-2-70b", 2.0e12, 4096, 1720320, "A100", 0, ""},
    // Rozière et al. 2023, arXiv:2308.12950: section 2. Its model card has 1.4M hours for all twelve models together.
    {"code-llama-7b", 0.5e12, 4096, 0, "A100", 0, "on top of Llama 2's; 1.4M hours for all twelve Code Llamas"},
    {"code-llama-13b", 0.5e12, 4096, 0, "A100", 0, "on top of Llama 2's; 1.4M hours for all twelve Code Llamas"},
    {"code-llama-34b", 0.5e12, 4096, 0, "A100", 0, "on top of Llama 2's; 1.4M hours for all twelve Code Llamas"},
    {"code-llama-70b", 1.0e12, 4096, 0, "A100", 0, "on top of Llama 2's; 1.4M hours for all twelve Code Llamas"},
    // Model card of Llama 3 (Meta 2024): "over 15 trillion tokens".
    {"llama-3-8b", 15e12, 8192, 1.3e6, "H100", 0, ""},
    {"llama-3-70b", 15e12, 8192, 6.4e6, "H100", 0, ""},
    // Model card of Llama 3.1 (Meta 2024); tokens and operations of the 405B: Grattafiori et al. 2024,
    // arXiv:2407.21783,
    // section 3.2. Only the last 800B tokens had longer sequences (section 3.4.2).
    {"llama-3.1-8b", 15e12, 8192, 1.46e6, "H100", 0, ""},
    {"llama-3.1-70b", 15e12, 8192, 7.0e6, "H100", 0, ""},
    {"llama-3.1-405b", 15.6e12, 8192, 30.84e6, "H100", 3.8e25, ""},
    // Model card of Llama 3.2 (Meta 2024): "up to 9 trillion tokens".
    {"llama-3.2-1b", 9e12, 8192, 370e3, "H100", 0,
     "pruned from Llama 3.1 8B, and trained with the logits of 8B and 70B"},
    {"llama-3.2-3b", 9e12, 8192, 460e3, "H100", 0,
     "pruned from Llama 3.1 8B, and trained with the logits of 8B and 70B"},
};

}  // namespace

const PublishedTraining* published_training(std::string_view preset) {
  const auto found = std::ranges::find(runs, preset, &PublishedTraining::preset);
  return found == std::end(runs) ? nullptr : found;
}

double peak_of(std::string_view gpu) {
  require(gpu == "A100" || gpu == "H100", "peak_of", "expected A100 or H100");
  return gpu == "A100" ? 312e12 : 989e12;
}

}  // namespace cria
