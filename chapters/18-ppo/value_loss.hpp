// Chapter 18: the loss of a critic, which says at each token what is still to be earned (Schulman et al. 2017; the clip
// is OpenAI's baselines').
#pragma once

namespace cria {

struct ValueLossOptions {
  double clip = 0.2;         ///< how far a value may move in one step's epochs; 0: not clipped
  double coefficient = 0.1;  ///< of the loss, where critic and policy share weights or an optimiser (TRL: 0.1)
};

struct ValueTerm {
  double loss, slope;  // slope: its derivative by the value
  bool clipped;
};

/// max((V - R)², (clip(V) - R)²) / 2 with clip(V) within V_old ± clip: what has moved far enough is not pulled further.
ValueTerm value_loss(double value, double old_value, double target, const ValueLossOptions& options);

/// Throws UserError that names an option out of its range.
void require_valid(const ValueLossOptions& options);

}  // namespace cria
