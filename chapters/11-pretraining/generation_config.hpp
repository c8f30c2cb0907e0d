// generation_config.json of a model's folder: how whoever made a model wants it to be sampled.
//
// As with config.json, what would change the text and is not done here (beams, n-gram bans, …) is refused by name. The
// limits on length are left to the user.
#pragma once

#include <filesystem>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/09-sampling/sampling.hpp"

namespace cria {

struct GenerationConfig {
  SamplingOptions sampling;          // the file's, or SamplingOptions' own defaults
  std::vector<TokenId> end_of_text;  // in addition to those of config.json

  /// Those ends and then the file's, one that is in both twice.
  std::vector<TokenId> with_ends(std::vector<TokenId> ends) const;
};

/// Of a folder without such a file: the defaults. Throws UserError naming the file and the key.
GenerationConfig read_generation_config(const std::filesystem::path& folder, size_t vocabulary_size);

}  // namespace cria
