#include "app/thread_count.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"
#include "lib/base/cpus.hpp"

namespace cria {

std::size_t thread_count(std::size_t wanted) {
  constexpr size_t most = 1024;
  if (wanted > most) throw UserError(fmt::format("--threads is {}, expected at most {}", wanted, most));
  return wanted ? wanted : available_cpus();
}

}  // namespace cria
