// Timeline: what each of the last passes did, for pictures and for whoever wants to know why something took so long.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "lib/base/view.hpp"

namespace cria {

struct PassRecord {
  /// A text in the pass: how many positions were computed, and how many tokens drawn after it.
  struct Part {
    std::uint64_t text = 0;
    size_t positions = 0, drawn = 0;
  };

  std::uint64_t number = 0;  // counted from 1
  double seconds = 0;
  std::vector<Part> parts;
  std::vector<std::uint64_t> admitted, preempted, finished;
  size_t from_prefix = 0;                                  // positions that the admitted texts found in the cache
  size_t waiting = 0, blocks_used = 0, blocks_shared = 0;  // after it
};

class Timeline {
 public:
  explicit Timeline(size_t most = 512) : most_(most) {}

  void add(PassRecord pass) {
    if (passes_.size() == most_) passes_.pop_front();
    passes_.push_back(std::move(pass));
  }
  const std::deque<PassRecord>& passes() const { return passes_; }

 private:
  size_t most_;
  std::deque<PassRecord> passes_;
};

}  // namespace cria
