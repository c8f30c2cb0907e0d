// Chapter 21, the sum that travels during backward.
#include "chapters/21-several-machines/lane_sum.hpp"

#include <algorithm>
#include <utility>

#include "chapters/10-training-step/adamw.hpp"
#include "lib/base/check.hpp"
#include "lib/base/pages.hpp"

namespace cria {
namespace {

struct Abandoned {};

// Large models' gradients lie in huge pages (lib/base/arena.hpp), which are cheap as long as they are whole.
constexpr size_t returned_bytes = size_t{2} << 20;

void give_back(std::span<real> lane, Range numbers) {
  cria::give_back(std::as_writable_bytes(lane.subspan(numbers.begin, numbers.size())));
}

// All but the own share of the first lane.
void give_back(std::span<const std::span<real>> lanes, Range numbers, Range own) {
  for (size_t i = 0; i < lanes.size(); ++i) {
    if (i > 0) {
      give_back(lanes[i], numbers);
      continue;
    }
    give_back(lanes[i], {numbers.begin, std::clamp(own.begin, numbers.begin, numbers.end)});
    give_back(lanes[i], {std::clamp(own.end, numbers.begin, numbers.end), numbers.end});
  }
}

}  // namespace

size_t LaneSum::final_in_all() const {
  // solution: final_in_all
  return std::ranges::max(final_from_);
  // end of solution
}

void LaneSum::final_from(std::span<const std::span<real>> lanes, size_t lane, size_t begin) {
  const std::lock_guard lock(mutex_);
  if (final_from_.empty()) final_from_.assign(lanes.size(), lanes[0].size());
  require(lane < final_from_.size() && begin <= final_from_[lane], "LaneSum", "what was final is so no longer");
  final_from_[lane] = begin;
  changed_.notify_all();
  if (running_.valid() || final_in_all() == lanes[0].size()) return;
  running_ = std::async(std::launch::async, [this, all = std::vector(lanes.begin(), lanes.end())] { sum(all); });
}

void LaneSum::finish(std::span<const std::span<real>> lanes) {
  for (size_t lane = 0; lane < lanes.size(); ++lane) final_from(lanes, lane, 0);
  std::future<void> running = std::exchange(running_, {});
  running.wait();
  final_from_.clear();
  running.get();
}

void LaneSum::abandon() noexcept {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }
  if (running_.valid()) std::exchange(running_, {}).wait();
  final_from_.clear();
  abandoned_ = false;
}

void LaneSum::await(Range numbers) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    // solution: piece_is_final
    return abandoned_ || final_in_all() <= numbers.begin;
    // end of solution
  });
  if (abandoned_) throw Abandoned();
}

void LaneSum::sum(const std::vector<std::span<real>>& lanes) {
  const Shares shares{ranks_.size(), number_parts, lanes[0].size()};
  const Range own = shares.of(ranks_.rank());
  constexpr size_t step = returned_bytes / sizeof(real);
  size_t held = lanes[0].size();  // up to there
  const auto leave = [&](Range numbers) {
    const size_t begin = (numbers.begin + step - 1) / step * step;
    if (begin < held) give_back(lanes, {begin, std::exchange(held, begin)}, own);
  };
  sum_in_lane_order(ranks_, lanes, shares, passing_, {[this](Range numbers) { await(numbers); }, leave});
}

}  // namespace cria
