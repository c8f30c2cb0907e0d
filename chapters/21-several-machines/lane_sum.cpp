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

// A lane of at least two huge pages lies in such (ZeroedBlock), and is given back in whole ones: to take a small page
// again costs a step of few tokens more than it is worth.
constexpr size_t block = huge_page_bytes / sizeof(real);
bool is_given_back(std::span<const real> lane) { return lane.size() >= 2 * block; }

size_t next_block(size_t number) { return (number + block - 1) / block * block; }

// Of these numbers, which end with a block or with the lane, those before and after the own ones.
void give_back_others(std::span<real> lane, Range numbers, Range own) {
  const auto give = [&](size_t begin, size_t end) {
    if (begin < end) give_back(std::as_writable_bytes(lane.subspan(begin, end - begin)));
  };
  give(numbers.begin, std::min(numbers.end, own.begin / block * block));
  give(std::max(numbers.begin, next_block(own.end)), numbers.end);
}

}  // namespace

size_t LaneSum::final_in_all() const {
  // solution: final_in_all
  return std::ranges::max(final_from_);
  // end of solution
}

bool LaneSum::is_final(Range piece) const {
  // solution: is_final
  return final_in_all() <= piece.begin;
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
  changed_.wait(lock, [&] { return abandoned_ || is_final(numbers); });
  if (abandoned_) throw Abandoned();
}

void LaneSum::clear(std::span<real> lane) {
  if (is_given_back(lane))
    give_back(std::as_writable_bytes(lane));
  else
    std::ranges::fill(lane, real(0));
}

void LaneSum::sum(const std::vector<std::span<real>>& lanes) {
  const Shares shares{ranks_.size(), number_parts, lanes[0].size()};
  size_t held = lanes[0].size();  // up to there
  const auto leave = [&](Range numbers) {
    const size_t begin = next_block(numbers.begin);
    if (begin >= held || !is_given_back(lanes[0])) return;
    const Range left = {begin, std::exchange(held, begin)};
    for (size_t i = 0; i < lanes.size(); ++i)
      give_back_others(lanes[i], left, i == 0 ? shares.of(ranks_.rank()) : Range());
  };
  sum_in_lane_order(ranks_, lanes, shares, passing_, {[this](Range numbers) { await(numbers); }, leave});
}

}  // namespace cria
