// What must hold for any numbers: causality, grouping, documents, order, and ways to split the work.
#include "tests/chapters/attention_problem.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("attention: a lone key is copied, and gives no gradient to q and k") {
  Problem problem(1, 1, 4, 2, 8);
  problem.forward();
  CHECK(difference(problem.out, pick_heads(problem.v, {0, 0, 1, 1}), 0) == "");
  problem.backward(random_array<3>({1, 4, 8}, 9));
  // Zero up to rounding: d_out . v minus the same 8 products summed in another order, times an entry of q or k.
  // Measured over several machines and the targets: at most 8.8 epsilon.
  CHECK(difference(problem.d_q, zeros<real, 3>({1, 4, 8}), 24 * epsilon) == "");
  CHECK(difference(problem.d_k, zeros<real, 3>({1, 2, 8}), 24 * epsilon) == "");
}

TEST_CASE("attention: a future token never changes the past, to the last bit") {
  auto [T, S, H, G, Dh] = GENERATE(from_range(odd_sizes));
  CAPTURE(T, S, H, G, Dh);
  Problem problem(T, S, H, G, Dh);
  problem.forward();
  for (size_t changed : {S - T + 1, S - T + T / 2, S - 1}) {  // a key that is some query's future
    if (changed <= S - T || changed >= S) continue;
    Problem other = problem;
    for (size_t i = changed * G * Dh; i < other.k.size(); ++i) other.k.flat(i) += 3, other.v.flat(i) -= 5;
    other.forward();
    const size_t past = changed - (S - T);  // queries before it
    CHECK(difference(rows(other.out, 0, past), rows(problem.out, 0, past), 0) == "");
    CHECK(difference(rows(other.out, past, T), rows(problem.out, past, T), 0.01) != "");
  }
}

TEST_CASE("attention: the weights of a row sum to 1") {
  auto [T, S, H, G, Dh] = GENERATE(from_range(odd_sizes));
  CAPTURE(T, S, H, G, Dh);
  Problem problem(T, S, H, G, Dh);
  problem.q *= real(5);
  problem.v.fill(1);
  problem.forward();
  // A weight may be off by half a unit, and up to 100 of them are summed: 6 units at most, as measured.
  CHECK(difference(problem.out, Array<real, 3>(problem.out.shape(), real(1)), 12 * epsilon) == "");
}

TEST_CASE("attention: large scores overflow nowhere") {
  Problem problem(40, 40, 2, 1, 8);
  problem.q *= real(1000);
  problem.forward();
  problem.backward(random_array<3>({40, 2, 8}, 9));
  for (const auto* x : {&problem.out, &problem.d_q, &problem.d_k, &problem.d_v})
    CHECK(std::count_if(x->begin(), x->end(), [](real value) { return !std::isfinite(value); }) == 0);
}

TEST_CASE("grouped attention is multi-head attention with each key/value head repeated, not tiled") {
  const std::vector<size_t> repeated = {0, 0, 0, 1, 1, 1}, tiled = {0, 1, 0, 1, 0, 1};
  Problem grouped(40, 40, 6, 2, 8);
  Problem multi_head(grouped.q, pick_heads(grouped.k, repeated), pick_heads(grouped.v, repeated));
  Problem wrong(grouped.q, pick_heads(grouped.k, tiled), pick_heads(grouped.v, tiled));
  for (Problem* problem : {&grouped, &multi_head, &wrong}) problem->forward();
  CHECK(relative_error(grouped.out, multi_head.out) < forward_tolerance);
  CHECK(difference(grouped.out, wrong.out, 0.1) != "");

  const Array<real, 3> d_out = random_array<3>({40, 6, 8}, 9);
  grouped.backward(d_out), multi_head.backward(d_out);
  const auto sum = [&](const Array<real, 3>& x) {
    Array<real, 3> total = pick_heads(x, {0, 3});
    total += pick_heads(x, {1, 4});
    total += pick_heads(x, {2, 5});
    return total;
  };
  CHECK(relative_error(grouped.d_k, sum(multi_head.d_k)) < backward_tolerance);
  CHECK(relative_error(grouped.d_v, sum(multi_head.d_v)) < backward_tolerance);
}

TEST_CASE("multi-head attention is single heads side by side") {
  Problem together(40, 40, 3, 3, 8);
  together.forward();
  for (size_t h = 0; h < 3; ++h) {
    Problem alone(pick_heads(together.q, {h}), pick_heads(together.k, {h}), pick_heads(together.v, {h}));
    alone.forward();
    CHECK(relative_error(pick_heads(together.out, {h}), alone.out) < forward_tolerance);
  }
}

TEST_CASE("attention with a document mask is attention on each document by itself") {
  const std::vector<size_t> starts = {0, 1, 5, 40, 70};  // the last is the end
  Problem packed(70, 70, 4, 2, 8);
  for (size_t d = 0; d + 1 < starts.size(); ++d)
    packed.first_key.resize(starts[d + 1], static_cast<std::int32_t>(starts[d]));
  const Array<real, 3> d_out = random_array<3>({70, 4, 8}, 9);
  packed.forward();
  packed.backward(d_out);
  for (size_t d = 0; d + 1 < starts.size(); ++d) {
    const auto part = [&](const Array<real, 3>& x) { return rows(x, starts[d], starts[d + 1]); };
    Problem alone(part(packed.q), part(packed.k), part(packed.v));
    alone.forward();
    alone.backward(part(d_out));
    CHECK(relative_error(part(packed.out), alone.out) < forward_tolerance);
    CHECK(difference(part(packed.d_q), alone.d_q, backward_tolerance) == "");
    CHECK(difference(part(packed.d_k), alone.d_k, backward_tolerance) == "");
    CHECK(relative_error(part(packed.d_v), alone.d_v) < backward_tolerance);
  }
}

TEST_CASE("attention: the order of the keys that a query sees does not matter") {
  Problem problem(1, 50, 4, 2, 8), permuted = problem;
  for (size_t s = 0; s < 50; ++s) {
    const size_t from = (s * 7 + 13) % 50;  // 7 and 50 have no common factor, so this visits every key
    for (size_t i = 0; i < 16; ++i) {
      permuted.k.flat(s * 16 + i) = problem.k.flat(from * 16 + i);
      permuted.v.flat(s * 16 + i) = problem.v.flat(from * 16 + i);
    }
  }
  problem.forward(), permuted.forward();
  CHECK(relative_error(permuted.out, problem.out) < forward_tolerance);
}

TEST_CASE("a range of heads, or of queries, computed by itself gives that part of attention") {
  // How a caller with several threads splits the work.
  Problem whole(70, 70, 6, 2, 8), split = whole;
  whole.forward();
  const View<real, 3> q = view(split.q), k = view(split.k), v = view(split.v), out = view(split.out);
  const View<real, 2> log_sum_exp = view(split.log_sum_exp);
  for (size_t g = 0; g < 2; ++g)
    for (size_t begin : {0, 33}) {
      const size_t end = begin == 0 ? 33 : 70;
      const auto heads = [](View<real, 3> x, size_t first, size_t count) {
        return View<real, 3>(&x(0, first, 0), {x.shape(0), count, x.shape(2)}, x.strides());
      };
      attention_forward(heads(q, 3 * g, 3).rows(begin, end), heads(k, g, 1).rows(0, end), heads(v, g, 1).rows(0, end),
                        {}, heads(out, 3 * g, 3).rows(begin, end),
                        View<real, 2>(&log_sum_exp(begin, 3 * g), {end - begin, 3}, {6, 1}), split.scratch);
    }
  CHECK(relative_error(split.out, whole.out) < forward_tolerance);
  CHECK(relative_error(split.log_sum_exp, whole.log_sum_exp) < forward_tolerance);
}
