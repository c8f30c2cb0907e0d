// All figures. Each function gives a whole SVG file, or throws NothingToShow.
#pragma once

#include <string>

namespace cria::figure {

class Subject;

std::string draw_map(const Subject& subject);
std::string draw_tokens(const Subject& subject);
std::string draw_merges(const Subject& subject);
std::string draw_linear(const Subject& subject);
std::string draw_rmsnorm(const Subject& subject);
std::string draw_rope_rotation(const Subject& subject);
std::string draw_rope_decay(const Subject& subject);
std::string draw_attention_steps(const Subject& subject);
std::string draw_attention(const Subject& subject);
std::string draw_gqa(const Subject& subject);
std::string draw_cache(const Subject& subject);
std::string draw_swiglu(const Subject& subject);
std::string draw_block(const Subject& subject);
std::string draw_sampling(const Subject& subject);
std::string draw_schedule(const Subject& subject);
std::string draw_batches(const Subject& subject);
std::string draw_loss(const Subject& subject);
std::string draw_row_pairs(const Subject& subject);
std::string draw_rope_scaling(const Subject& subject);
std::string draw_number_formats(const Subject& subject);
std::string draw_rounding(const Subject& subject);
std::string draw_bits(const Subject& subject);
std::string draw_answers(const Subject& subject);
std::string draw_obedience(const Subject& subject);
std::string draw_frontier(const Subject& subject);
std::string draw_adapters(const Subject& subject);
std::string draw_ranking(const Subject& subject);
std::string draw_clip(const Subject& subject);
std::string draw_advantages(const Subject& subject);
std::string draw_hacking(const Subject& subject);
std::string draw_preferences(const Subject& subject);
std::string draw_isoflop(const Subject& subject);
std::string draw_lifetime(const Subject& subject);
std::string draw_facts(const Subject& subject);
std::string draw_zero(const Subject& subject);
std::string draw_overlap(const Subject& subject);
std::string draw_divided(const Subject& subject);
std::string draw_batching(const Subject& subject);

}  // namespace cria::figure
