#include "chapters/05-attention/attention.hpp"

#include <numeric>

#include "chapters/02-linear/linear.hpp"
#include "lib/formats/npy.hpp"
#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// In units of `real`'s rounding (1.2e-7 or 2.2e-16), relative to an array's largest entry. Measured over all tests
// here, targets and both builds: at most 2.9 forward and 6.6 backward. Twice that leaves room for sums in another
// order.
constexpr double epsilon = std::numeric_limits<real>::epsilon();
constexpr double forward_tolerance = 6 * epsilon, backward_tolerance = 14 * epsilon;

/// One call of attention with all that it reads and writes.
struct Problem {
  Array<real, 3> q, k, v;
  std::vector<std::int32_t> first_key;
  Array<real, 3> out, d_q, d_k, d_v;
  Array<real, 2> log_sum_exp;
  std::vector<real> scratch;

  Problem(Array<real, 3> q_, Array<real, 3> k_, Array<real, 3> v_, std::vector<std::int32_t> first_key_ = {})
      : q(std::move(q_)), k(std::move(k_)), v(std::move(v_)), first_key(std::move(first_key_)) {
    const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), S = k.shape(0), G = k.shape(1);
    out = zeros<real, 3>({T, H, Dh}), d_q = out;
    d_k = zeros<real, 3>({S, G, Dh}), d_v = d_k;
    log_sum_exp = zeros<real, 2>({T, H});
    scratch.assign(attention_scratch_size(S), real(99));  // what was there before must not matter
  }
  Problem(size_t T, size_t S, size_t H, size_t G, size_t Dh, std::uint64_t seed = 1)
      : Problem(random_array<3>({T, H, Dh}, seed), random_array<3>({S, G, Dh}, seed + 1),
                random_array<3>({S, G, Dh}, seed + 2)) {}

  void forward() {
    attention_forward(view<real, 3>(q), view<real, 3>(k), view<real, 3>(v), first_key, view(out), view(log_sum_exp),
                      scratch);
  }
  void backward(const Array<real, 3>& d_out) {
    attention_backward(view(d_out), view<real, 3>(q), view<real, 3>(k), view<real, 3>(v), first_key,
                       view<real, 3>(out), view<real, 2>(log_sum_exp), view(d_q), view(d_k), view(d_v), scratch);
  }
};

/// Rows begin … end - 1 of x.
Array<real, 3> rows(const Array<real, 3>& x, size_t begin, size_t end) {
  Array<real, 3> out(Shape<3>{end - begin, x.shape(1), x.shape(2)});
  const size_t width = x.shape(1) * x.shape(2);
  std::copy(x.begin() + begin * width, x.begin() + end * width, out.begin());
  return out;
}

/// Head by head the heads of x in another order or number: out[:, i] = x[:, heads[i]].
Array<real, 3> pick_heads(const Array<real, 3>& x, const std::vector<size_t>& heads) {
  Array<real, 3> out(Shape<3>{x.shape(0), heads.size(), x.shape(2)});
  for (size_t t = 0; t < x.shape(0); ++t)
    for (size_t h = 0; h < heads.size(); ++h)
      for (size_t d = 0; d < x.shape(2); ++d) out(t, h, d) = x(t, heads[h], d);
  return out;
}

const std::vector<Shape<5>> odd_sizes = {{1, 1, 1, 1, 3},   {2, 2, 6, 2, 8},   {7, 7, 3, 3, 48},   {65, 65, 2, 1, 3},
                                         {65, 65, 4, 4, 8}, {1, 65, 8, 2, 48}, {33, 100, 6, 3, 8}, {64, 64, 1, 1, 5}};

}  // namespace

TEST_CASE("attention: the example of the lesson, worked by hand") {
  // Two positions, one head of width 4, so scores are halved. Query 1 has scores 0 and ln 3, so weights 1/4 and 3/4.
  const real ln3 = std::log(real(3));
  Problem example({{{7, 7, 7, 7}}, {{2, 0, 0, 0}}},     // q
                  {{{0, 0, 0, 0}}, {{ln3, 0, 0, 0}}},   // k
                  {{{4, 0, 0, 0}}, {{8, 0, 0, 0}}});    // v
  example.forward();
  const Array<double, 3> out = {{{4, 0, 0, 0}}, {{7, 0, 0, 0}}};
  const Array<double, 2> log_sum_exp = {{0}, {std::log(4.0)}};
  CHECK(difference(example.out, out, 8 * epsilon) == "");
  CHECK(difference(example.log_sum_exp, log_sum_exp, 2 * epsilon) == "");

  example.backward({{{1, 0, 0, 0}}, {{1, 0, 0, 0}}});
  const Array<double, 3> d_v = {{{1.25, 0, 0, 0}}, {{0.75, 0, 0, 0}}};
  const Array<double, 3> d_q = {{{0, 0, 0, 0}}, {{0.375 * std::log(3.0), 0, 0, 0}}};
  const Array<double, 3> d_k = {{{-0.75, 0, 0, 0}}, {{0.75, 0, 0, 0}}};
  CHECK(difference(example.d_v, d_v, 2 * epsilon) == "");
  CHECK(difference(example.d_q, d_q, 8 * epsilon) == "");
  CHECK(difference(example.d_k, d_k, 8 * epsilon) == "");
}

TEST_CASE("attention agrees with PyTorch's, forward and backward") {
  const std::string name = GENERATE("mha", "gqa", "mqa", "decode", "chunk", "documents");
  CAPTURE(name);
  const auto file = [&](const char* part) { return "05-attention/" + name + "_" + part + ".npy"; };
  Problem problem(golden_real<3>(file("q")), golden_real<3>(file("k")), golden_real<3>(file("v")));
  if (name == "documents")
    for (double first : golden<1>(file("first_key"))) problem.first_key.push_back(static_cast<std::int32_t>(first));
  problem.forward();
  CHECK(relative_error(problem.out, golden<3>(file("out"))) < forward_tolerance);
  CHECK(relative_error(problem.log_sum_exp, golden<2>(file("log_sum_exp"))) < forward_tolerance);
  problem.backward(golden_real<3>(file("d_out")));
  CHECK(relative_error(problem.d_q, golden<3>(file("d_q"))) < backward_tolerance);
  CHECK(relative_error(problem.d_k, golden<3>(file("d_k"))) < backward_tolerance);
  CHECK(relative_error(problem.d_v, golden<3>(file("d_v"))) < backward_tolerance);
}

#ifdef CRIA_DOUBLE
TEST_CASE("attention's gradients agree with finite differences to 1e-8") {
  auto [T, S, H, G, Dh] = GENERATE(from_range(odd_sizes));
  CAPTURE(T, S, H, G, Dh);
  Problem problem(T, S, H, G, Dh);
  if (T == 33) problem.first_key.assign(T, 41);
  const Array<real, 3> d_out = random_array<3>({T, H, Dh}, 9);
  const auto loss = [&] {
    problem.forward();
    return std::inner_product(problem.out.begin(), problem.out.end(), d_out.begin(), 0.0);
  };
  loss();
  problem.backward(d_out);
  CHECK(gradient_error(view(problem.v).span(), view(problem.d_v).span(), loss) < 1e-8);
  if (S == 1) return;  // a lone key has weight 1 whatever q and k are
  CHECK(gradient_error(view(problem.q).span(), view(problem.d_q).span(), loss) < 1e-8);
  CHECK(gradient_error(view(problem.k).span(), view(problem.d_k).span(), loss) < 1e-8);
}
#endif

TEST_CASE("attention: a lone key is copied, and gives no gradient to q and k") {
  Problem problem(1, 1, 4, 2, 8);
  problem.forward();
  CHECK(difference(problem.out, pick_heads(problem.v, {0, 0, 1, 1}), 0) == "");
  problem.backward(random_array<3>({1, 4, 8}, 9));
  CHECK(difference(problem.d_q, zeros<real, 3>({1, 4, 8}), 8 * epsilon) == "");
  CHECK(difference(problem.d_k, zeros<real, 3>({1, 2, 8}), 8 * epsilon) == "");
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
    CHECK(std::all_of(x->begin(), x->end(), [](real value) { return std::isfinite(value); }));
}

TEST_CASE("grouped attention is multi-head attention with each key/value head repeated, not tiled") {
  const std::vector<size_t> repeated = {0, 0, 0, 1, 1, 1}, tiled = {0, 1, 0, 1, 0, 1};
  Problem grouped(40, 40, 6, 2, 8);
  Problem multi_head(grouped.q, pick_heads(grouped.k, repeated), pick_heads(grouped.v, repeated));
  Problem wrong(grouped.q, pick_heads(grouped.k, tiled), pick_heads(grouped.v, tiled));
  for (Problem* problem : {&grouped, &multi_head, &wrong}) problem->forward();
  CHECK(difference(grouped.out, multi_head.out, 0) == "");
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
    CHECK(difference(pick_heads(together.out, {h}), alone.out, 0) == "");
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

TEST_CASE("attention reads and writes rows of wider matrices, and nothing between them") {
  // q, k and v side by side in one matrix, as a single projection would give them; gradients alike.
  const size_t T = 37, H = 4, G = 2, Dh = 5, width = (H + 2 * G) * Dh + 3;
  Problem plain(T, T, H, G, Dh);
  Array<real, 2> wide(Shape<2>{T, width}, real(77)), d_wide(Shape<2>{T, width}, real(0));
  const auto part = [&](Array<real, 2>& x, size_t column, size_t heads) {
    return View<real, 3>(x.data() + column, {T, heads, Dh}, {width, Dh, 1});
  };
  const size_t k_column = H * Dh, v_column = (H + G) * Dh;
  for (size_t t = 0; t < T; ++t) {
    std::copy_n(&plain.q(t, 0, 0), H * Dh, &wide(t, 0));
    std::copy_n(&plain.k(t, 0, 0), G * Dh, &wide(t, k_column));
    std::copy_n(&plain.v(t, 0, 0), G * Dh, &wide(t, v_column));
  }
  Problem strided = plain;
  attention_forward(part(wide, 0, H), part(wide, k_column, G), part(wide, v_column, G), {}, view(strided.out),
                    view(strided.log_sum_exp), strided.scratch);
  plain.forward();
  CHECK(difference(strided.out, plain.out, 0) == "");

  const Array<real, 3> d_out = random_array<3>({T, H, Dh}, 9);
  attention_backward(view(d_out), part(wide, 0, H), part(wide, k_column, G), part(wide, v_column, G), {},
                     view<real, 3>(strided.out), view<real, 2>(strided.log_sum_exp), part(d_wide, 0, H),
                     part(d_wide, k_column, G), part(d_wide, v_column, G), strided.scratch);
  plain.backward(d_out);
  bool same = true, untouched = true;
  for (size_t t = 0; t < T; ++t) {
    same &= std::equal(&d_wide(t, 0), &d_wide(t, 0) + H * Dh, &plain.d_q(t, 0, 0));
    same &= std::equal(&d_wide(t, k_column), &d_wide(t, k_column) + G * Dh, &plain.d_k(t, 0, 0));
    same &= std::equal(&d_wide(t, v_column), &d_wide(t, v_column) + G * Dh, &plain.d_v(t, 0, 0));
    for (size_t c = width - 3; c < width; ++c) untouched &= d_wide(t, c) == 0 && wide(t, c) == 77;
  }
  CHECK(same);
  CHECK(untouched);
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
      attention_forward(heads(q, 3 * g, 3).rows(begin, end), heads(k, g, 1).rows(0, end),
                        heads(v, g, 1).rows(0, end), {}, heads(out, 3 * g, 3).rows(begin, end),
                        View<real, 2>(&log_sum_exp(begin, 3 * g), {end - begin, 3}, {6, 1}), split.scratch);
    }
  CHECK(relative_error(split.out, whole.out) < forward_tolerance);
  CHECK(relative_error(split.log_sum_exp, whole.log_sum_exp) < forward_tolerance);
}

TEST_CASE("attention's gradients accumulate") {
  Problem problem(40, 40, 4, 2, 8);
  const Array<real, 3> d_out = random_array<3>({40, 4, 8}, 9);
  problem.forward();
  problem.backward(d_out);
  const Array<real, 3> d_q = problem.d_q, d_k = problem.d_k, d_v = problem.d_v;
  problem.backward(d_out);
  CHECK(relative_error(problem.d_q, Array<real, 3>(real(2) * d_q)) < backward_tolerance);
  CHECK(relative_error(problem.d_k, Array<real, 3>(real(2) * d_k)) < backward_tolerance);
  CHECK(relative_error(problem.d_v, Array<real, 3>(real(2) * d_v)) < backward_tolerance);
}

TEST_CASE("attention allocates nothing, and its scratch grows with the keys alone") {
  Problem problem(300, 300, 4, 2, 8);
  const Array<real, 3> d_out = random_array<3>({300, 4, 8}, 9);
  problem.forward();  // the first call may choose the SIMD target
  const size_t before = allocations();
  problem.forward();
  problem.backward(d_out);
  const size_t after = allocations();
  CHECK(after == before);
  CHECK(attention_scratch_size(8192) == 2 * attention_scratch_size(4096));
}

TEST_CASE("attention refuses what does not fit, and says what it got and what it expected") {
  CHECK_THROWS_WITH(Problem(5, 5, 3, 2, 4).forward(), contains("the key/value heads must divide the query heads"));
  CHECK_THROWS_AS(Problem(5, 4, 2, 2, 4).forward(), ContractError);  // T > S
  Problem problem(5, 6, 4, 2, 3);
  const auto refuses = [&](auto spoil, const std::string& message) {
    Problem bad = problem;
    spoil(bad);
    CHECK_THROWS_AS(bad.forward(), ContractError);
    CHECK_THROWS_WITH(bad.forward(), contains(message));
  };
  refuses([](Problem& p) { p.v = zeros<real, 3>({6, 2, 4}); }, "attention: v has shape (6, 2, 4), expected (6, 2, 3)");
  refuses([](Problem& p) { p.k = zeros<real, 3>({6, 2, 4}); }, "attention: k has shape (6, 2, 4), expected (6, 2, 3)");
  refuses([](Problem& p) { p.out = zeros<real, 3>({6, 4, 3}); }, "(6, 4, 3), expected (5, 4, 3)");
  refuses([](Problem& p) { p.log_sum_exp = zeros<real, 2>({5, 2}); }, "(5, 2), expected (5, 4)");
  refuses([](Problem& p) { p.scratch.resize(p.scratch.size() - 1); }, "scratch");
  refuses([](Problem& p) { p.first_key.assign(4, 0); }, "first_key");
  refuses([](Problem& p) { p.first_key.assign(5, -1); }, "first_key");
  refuses([](Problem& p) { p.first_key.assign(5, 2); }, "first_key");  // query 0 is key 1
  const View<real, 3> gaps(problem.q.data(), {5, 2, 3}, {12, 6, 1});  // every other head
  CHECK_THROWS_WITH(attention_forward(gaps, view(problem.k), view(problem.v), {}, view(problem.out),
                                      view(problem.log_sum_exp), problem.scratch),
                    contains("only the first axis may have gaps"));
  problem.forward();
  CHECK_THROWS_WITH(problem.backward(zeros<real, 3>({5, 4, 4})), contains("(5, 4, 4), expected (5, 4, 3)"));
  problem.d_k = zeros<real, 3>({5, 2, 3});
  CHECK_THROWS_WITH(problem.backward(zeros<real, 3>({5, 4, 3})), contains("(5, 2, 3), expected (6, 2, 3)"));
}

// ---- the world's cases: Stanford CS336's tests, within their own tolerance of 1e-6 ----

namespace {

/// A (B, H, T, D) array, or any with the same number of entries, read in the order (B·H, T, D).
Array<real, 3> read_case(const std::filesystem::path& path, size_t T, size_t D) {
  const NpyArray npy = read_npy(path);
  Array<real, 3> out(Shape<3>{npy.values.size() / (T * D), T, D});
  std::copy(npy.values.begin(), npy.values.end(), out.begin());
  return out;
}

}  // namespace

TEST_CASE("attention reproduces CS336's scaled dot product with its causal mask") {
  const auto cases = cases_folder();
  if (!cases) return;
  const auto folder = *cases / "peer/cs336_2024/sdpa_first2";
  const Array<real, 3> q = read_case(folder / "q.npy", 32, 64), k = read_case(folder / "k.npy", 32, 64);
  const Array<real, 3> v = read_case(folder / "v.npy", 32, 64), expected = read_case(folder / "expected.npy", 32, 64);
  const auto one = [](const Array<real, 3>& x, size_t i) {
    return Array<real, 3>(xt::adapt(x.data() + i * 32 * 64, 32 * 64, xt::no_ownership(), Shape<3>{32, 1, 64}));
  };
  for (size_t i = 0; i < q.shape(0); ++i) {
    Problem problem(one(q, i), one(k, i), one(v, i));
    problem.forward();
    CHECK(difference(problem.out, one(expected, i), 1e-6) == "");
  }
}

TEST_CASE("attention reproduces CS336's scaled dot product with any mask, each query on the keys that it may see") {
  const auto cases = cases_folder();
  if (!cases) return;
  const std::string name = GENERATE("sdpa", "sdpa_4d");
  const auto folder = *cases / "peer/cs336_2025" / name;
  const Array<real, 3> q = read_case(folder / "q.npy", 12, 64), k = read_case(folder / "k.npy", 16, 64);
  const Array<real, 3> v = read_case(folder / "v.npy", 16, 64), expected = read_case(folder / "expected.npy", 12, 64);
  const Array<real, 3> mask = read_case(folder / "mask.npy", 12, 16);
  for (size_t i = 0; i < q.shape(0); ++i)
    for (size_t t = 0; t < 12; ++t) {
      std::vector<size_t> visible;
      for (size_t s = 0; s < 16; ++s)
        if (mask(i, t, s) == 1) visible.push_back(s);
      REQUIRE(!visible.empty());
      Array<real, 3> key(Shape<3>{visible.size(), 1, 64}), value = key, query(Shape<3>{1, 1, 64}), wanted = query;
      for (size_t s = 0; s < visible.size(); ++s) {
        std::copy_n(&k(i, visible[s], 0), 64, &key(s, 0, 0));
        std::copy_n(&v(i, visible[s], 0), 64, &value(s, 0, 0));
      }
      std::copy_n(&q(i, t, 0), 64, query.data());
      std::copy_n(&expected(i, t, 0), 64, wanted.data());
      Problem problem(query, key, value);
      problem.forward();
      CHECK(difference(problem.out, wanted, 1e-6) == "");
    }
}

TEST_CASE("attention between its projections reproduces CS336's causal multi-head attention") {
  const auto cases = cases_folder();
  if (!cases) return;
  const auto folder = *cases / "peer/cs336_2024/mha_no_rope";
  const Array<real, 3> x = read_case(folder / "x.npy", 128, 64), expected = read_case(folder / "expected.npy", 128, 64);
  const auto project = [&](const char* weight, const real* from, real* to) {
    const Array<real, 3> w = read_case(folder / weight, 64, 64);
    linear_forward(View<const real, 2>(from, {128, 64}), View<const real, 2>(w.data(), {64, 64}),
                   View<real, 2>(to, {128, 64}));
  };
  for (size_t b = 0; b < x.shape(0); ++b) {
    Problem problem(128, 128, 2, 2, 32);
    project("wq.npy", &x(b, 0, 0), problem.q.data());
    project("wk.npy", &x(b, 0, 0), problem.k.data());
    project("wv.npy", &x(b, 0, 0), problem.v.data());
    problem.forward();
    Array<real, 2> out(Shape<2>{128, 64}), wanted = out;
    project("wo.npy", problem.out.data(), out.data());
    std::copy_n(&expected(b, 0, 0), wanted.size(), wanted.data());
    CHECK(difference(out, wanted, 1e-6) == "");
  }
}
