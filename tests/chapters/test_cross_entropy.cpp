// Cross entropy: the worked example, PyTorch, finite differences, huge logits.
#include "chapters/10-training-step/cross_entropy.hpp"

#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Ids = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("cross entropy: the example of the lesson, worked by hand") {
  // softmax(0, ln 3) = (1/4, 3/4)
  const Array<real, 2> logits = {{0, real(std::log(3.0))}};
  const Ids targets = {1};
  Array<real, 1> log_sum_exp = {0};
  Array<real, 2> d_logits = zeros<real, 2>({1, 2});
  const View<const std::int32_t, 1> target(targets.data(), {1});
  const double loss = cross_entropy_forward(view(logits), target, view(log_sum_exp));
  CHECK(difference(loss, std::log(4.0 / 3), 0.75 * epsilon) == "");  // measured: 0.25
  cross_entropy_backward(view(logits), target, view(log_sum_exp), 1, view(d_logits));
  CHECK(difference(d_logits, Array<double, 2>{{0.25, -0.25}}, epsilon) == "");
}

TEST_CASE("cross entropy agrees with PyTorch, rows without a target left out") {
  const Array<real, 2> logits = golden_real<2>("10-training-step/logits.npy");
  const Array<std::int32_t, 1> targets = xt::cast<std::int32_t>(golden<1>("10-training-step/targets.npy"));
  Array<real, 1> log_sum_exp = unwritten<1>({5});
  Array<real, 2> d_logits = zeros<real, 2>({5, 7});
  const double loss = cross_entropy_forward(view(logits), view(targets), view(log_sum_exp));
  CHECK(difference(loss / golden<1>("10-training-step/loss_sum.npy")(0), 1, 0.5 * epsilon) == "");  // measured: 0.14
  const Array<double, 2> expected = golden<2>("10-training-step/d_logits_times_quarter.npy");
  // Measured over the three x86 targets: at most 1.5 epsilon in float, 3.01 in double.
  cross_entropy_backward(view(logits), view(targets), view(log_sum_exp), real(0.25), view(d_logits));
  CHECK(relative_error(d_logits, expected) < 8 * epsilon);
  cross_entropy_backward(view(logits), view(targets), view(log_sum_exp), real(0.25), view(d_logits));
  CHECK(relative_error(d_logits, xt::eval(2 * expected)) < 8 * epsilon);
  const Ids beyond = {0, 1, 2, 3, 7};
  CHECK_THROWS_AS(cross_entropy_forward(view(logits), {beyond.data(), {5}}, view(log_sum_exp)), ContractError);
}

#ifdef CRIA_DOUBLE
// Measured: 2.1e-12.
TEST_CASE("cross entropy's gradient agrees with finite differences to 1e-8") {
  Array<real, 2> logits = random_array<2>({4, 6}, 1, 3), d_logits = zeros<real, 2>({4, 6});
  const Ids ids = {0, 5, no_target, 2};
  const View<const std::int32_t, 1> targets(ids.data(), {4});
  Array<real, 1> log_sum_exp = zeros<real, 1>({4});
  const auto loss = [&] { return cross_entropy_forward(view(logits), targets, view(log_sum_exp)); };
  loss();
  cross_entropy_backward(view(logits), targets, view(log_sum_exp), 1, view(d_logits));
  CHECK(gradient_error(view(logits).span(), view(d_logits).span(), loss) < 1e-8);
}
#endif

TEST_CASE("huge logits give finite losses") {
  const Array<real, 2> logits = {{real(1e4), 0}, {real(-1e4), real(1e4)}};
  const Ids targets = {1, 1};
  Array<real, 1> log_sum_exp = zeros<real, 1>({2});
  CHECK(cross_entropy_forward(view(logits), {targets.data(), {2}}, view(log_sum_exp)) == 1e4);
}
