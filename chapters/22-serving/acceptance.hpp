// The rule by which a token that one model has drafted becomes a token that another has drawn (Leviathan et al. 2022,
// arXiv:2211.17192, algorithm 1; Chen et al. 2023, arXiv:2302.01318, algorithm 2).
#pragma once

#include "chapters/01-bpe/bpe_model.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// The token that the text goes on with: `drafted`, or another. Where `drafted` was drawn from the distribution
/// `draft`, the result is distributed as `target`, whatever the draft is.
///
/// `coin` is uniform in [0, 1). Below min(1, target / draft) of the drafted token that is accepted. What lies above is
/// spread over the tokens that the draft gives too little, in the order of their ids, each its share of
/// max(0, target - draft). Throws ContractError where the draft could not have drawn its token.
TokenId verified_token(View<const real, 1> target,  // (V)
                       View<const real, 1> draft,   // (V)
                       TokenId drafted, double coin);

/// The first token at which the probabilities, added up in order of id, are more than `coin` times their sum.
TokenId drawn_token(View<const real, 1> probabilities /*(V)*/, double coin);

}  // namespace cria
