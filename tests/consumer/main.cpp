// Uses an installed cria from another project: normalises one row, and reads a file of the installed data.
#include <cmath>
#include <cria/cria.hpp>
#include <cstdio>

int main() {
  cria::Arena<cria::real> memory(7);
  const auto x = memory.take<2>({1, 2});
  const auto weight = memory.take<1>({2});
  const auto y = memory.take<2>({1, 2});
  const auto inverse_rms = memory.take<1>({1});
  x(0, 0) = 3, x(0, 1) = 4, weight(0) = weight(1) = 1;
  cria::rmsnorm_forward(x, weight, 0, y, inverse_rms);
  std::printf("rmsnorm of (3, 4): (%.4f, %.4f)\n", double(y(0, 0)), double(y(0, 1)));
  return std::abs(y(0, 0) - 3 / std::sqrt(12.5)) < 1e-6 ? 0 : 1;  // the root mean square of (3, 4) is √12.5
}
