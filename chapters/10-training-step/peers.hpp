// Chapter 10: the processes that share a training step. A trainer has none unless it is given some: chapter 21 makes
// them of several machines.
//
// Each runs some of the lanes and updates some of the parameters. One of them leads: what a step is to do is told to
// it alone. Where each has the whole model, nothing here may change a bit of the result: every sum keeps the order that
// it has in one process.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "chapters/10-training-step/batch.hpp"
#include "lib/base/real.hpp"
#include "lib/tensor/parameter_set.hpp"

namespace cria {

/// What there is of each parameter in a run.
enum class Held : std::uint16_t { weights, first_moment, second_moment };

/// What all peers are to do together.
struct Task {
  enum class Kind : std::uint32_t {
    step,      ///< a training step on a batch
    evaluate,  ///< a batch's loss
    deal,      ///< what the leader has: to each its part
    gather,    ///< and back to the leader
    end
  };
  Kind kind = Kind::end;
  Batch batch = {};           // of step and evaluate
  double learning_rate = 0;   // of step
  size_t steps_done = 0;      // of deal
  Held held = Held::weights;  // of deal and gather
};

class Peers {
 public:
  virtual ~Peers() = default;

  /// Of `count` things in a row, those that are this process's: lanes that it runs, parts that it updates.
  virtual Range own(size_t count) const = 0;
  /// Whether a lane's work itself waits for the others. Then lanes cannot run at once: a trainer's pool has one thread.
  virtual bool meet_within_lanes() const { return false; }
  /// The leader tells the others; the others, who were told, do nothing.
  virtual void begin(const Task& task) = 0;
  /// The leader has done all of it.
  virtual void finish() = 0;
  /// Of numbers in a row, of which own(size) are given: those of the others arrive.
  virtual void complete(std::span<double> numbers) = 0;
  /// The same of the sums of squares of the gradient's parts, from which its norm is formed.
  virtual void complete_squares(std::span<double> squares) { complete(squares); }
  /// The same of parameters, of which the own parts are given (number_range in adamw.hpp).
  virtual void complete_parts(std::span<real> parameters) = 0;
  /// A lane's gradients are zeros, for a step to begin with.
  virtual void clear(std::span<real> lane) { std::ranges::fill(lane, real(0)); }
  /// Of a step, whose gradients these lanes of this process form: the numbers of one from `begin` on are final.
  /// Backward forms them from the last to the first; what is final in all of the lanes may already travel, and be added
  /// to. Called on any thread.
  virtual void final_from(std::span<const std::span<real>> /*lanes*/, size_t /*lane*/, size_t /*begin*/) {}
  /// All of them are final. Afterwards the own parts of the first of them hold the sum over the lanes of all, in the
  /// order of the lanes, and nothing else in them is to be used.
  virtual void sum_lanes(std::span<const std::span<real>> lanes) = 0;
  /// They will never be: the step has failed. Returns when nobody looks at them any more.
  virtual void abandon_lanes() noexcept {}
  /// All parameters, where each process has a part of them only: a model that is divided. None: each has all of them.
  virtual const std::vector<ParameterSet::Tensor>* whole_layout() const { return nullptr; }
  /// What each has of these numbers, from the leader's `all`, which is empty elsewhere; and to there. Of moments it has
  /// those of the parts that it updates.
  virtual void deal(Held what, std::span<const real> all, std::span<real> own) = 0;
  virtual void gather(Held what, std::span<const real> own, std::span<real> all) = 0;
};

}  // namespace cria
