// Chapter 21, data parallel training with ZeRO's stage 2.
#include "chapters/21-several-machines/data_parallel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {

Range DataParallel::own(size_t count) const { return shares(count, count).of(ranks_.rank()); }

void DataParallel::complete(std::span<double> numbers) {
  // solution: complete_numbers
  all_gather(ranks_, numbers, shares(numbers.size(), numbers.size()));
  // end of solution
}

void DataParallel::complete_parts(std::span<real> parameters) {
  // solution: complete_parts
  all_gather(ranks_, parameters, parameter_shares(parameters.size()));
  // end of solution
}

void DataParallel::final_from(std::span<const std::span<real>> lanes, size_t lane, size_t begin) {
  sum_.final_from(lanes, lane, begin);
}

// Each has all weights. Of moments, `all` is empty on all ranks but 0, so how many there are is told first.
void DataParallel::deal(Held what, std::span<const real> all, std::span<real> own) {
  if (what == Held::weights) {
    if (!all.empty() && all.data() != own.data()) std::ranges::copy(all, own.begin());
    return broadcast(ranks_, own);
  }
  std::uint64_t numbers = all.size();
  broadcast(ranks_, std::span(&numbers, 1));
  scatter(ranks_, all, own, parameter_shares(numbers));
}

void DataParallel::gather(Held what, std::span<const real> own, std::span<real> all) {
  if (what == Held::weights) {
    if (!all.empty() && all.data() != own.data()) std::ranges::copy(own, all.begin());
    return;
  }
  std::uint64_t numbers = all.size();
  broadcast(ranks_, std::span(&numbers, 1));
  cria::gather(ranks_, own, all, parameter_shares(numbers));
}

void require_enough_lanes(size_t ranks, const TrainerOptions& options) {
  if (ranks > options.lanes)
    throw UserError(
        fmt::format("{} ranks cannot share {} lanes: start at most as many, or a new run with a larger "
                    "data.lanes",
                    ranks, options.lanes));
  if (ranks > number_parts) throw UserError(fmt::format("{} ranks, expected at most {}", ranks, number_parts));
}

}  // namespace cria
