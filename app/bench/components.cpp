// The chapters' components, each on one thread and on every target: what the primitives are worth in their place.
#include <fmt/format.h>

#include <numeric>

#include "app/bench/sections.hpp"
#include "chapters/03-rmsnorm/rmsnorm.hpp"
#include "chapters/04-rope/rope.hpp"
#include "chapters/05-attention/attention.hpp"
#include "chapters/07-swiglu/swiglu.hpp"
#include "chapters/10-training-step/adamw.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::bench {
namespace {

/// A component that does `operations` and goes over `numbers` of memory, counting one twice that is read and written.
Case component(std::string name, std::string shape, double operations, size_t numbers,
               std::function<Case::Run()> prepare) {
  return {.name = std::move(name),
          .shape = std::move(shape),
          .unit = "GFLOP/s",
          .amount = operations * 1e-9,
          .work = {operations, double(numbers * sizeof(real)), numbers * sizeof(real)},
          .prepare = std::move(prepare)};
}

void add_rmsnorm(std::vector<Case>& cases) {
  constexpr size_t N = 256, C = 288;
  constexpr Shape<2> rows = {N, C};
  const std::string shape = fmt::format("{}x{}", N, C);
  cases.push_back(component("rmsnorm forward", shape, 4.0 * N * C, 2 * N * C, [=] {
    return
        [=, x = RandomNumbers(N * C), weight = RandomNumbers(C), y = RandomNumbers(N * C), inverse = RandomNumbers(N)] {
          rmsnorm_forward(x.view(rows), weight.view<1>({C}), real(1e-5), y.view(rows), inverse.view<1>({N}));
        };
  }));
  cases.push_back(component("rmsnorm backward", shape, 10.0 * N * C, 4 * N * C, [=] {
    return [=, d_y = RandomNumbers(N * C, 1e-6), x = RandomNumbers(N * C), weight = RandomNumbers(C),
            inverse = RandomNumbers(N), d_x = RandomNumbers(N * C), d_weight = RandomNumbers(C)] {
      rmsnorm_backward(d_y.view(rows), x.view(rows), weight.view<1>({C}), inverse.view<1>({N}), d_x.view(rows),
                       d_weight.view<1>({C}));
    };
  }));
}

void add_swiglu(std::vector<Case>& cases) {
  constexpr size_t N = 64, F = 768;
  constexpr Shape<2> rows = {N, F};
  const std::string shape = fmt::format("{}x{}", N, F);
  cases.push_back(component("swiglu forward", shape, (exponential_operations + 5) * N * F, 3 * N * F, [=] {
    return [=, gate = RandomNumbers(N * F, 5), up = RandomNumbers(N * F), out = RandomNumbers(N * F)] {
      swiglu_forward(gate.view(rows), up.view(rows), out.view(rows));
    };
  }));
  cases.push_back(component("swiglu backward", shape, (exponential_operations + 14) * N * F, 7 * N * F, [=] {
    return [=, d_out = RandomNumbers(N * F, 1e-6), gate = RandomNumbers(N * F, 5), up = RandomNumbers(N * F),
            d_gate = RandomNumbers(N * F), d_up = RandomNumbers(N * F)] {
      swiglu_backward(d_out.view(rows), gate.view(rows), up.view(rows), d_gate.view(rows), d_up.view(rows));
    };
  }));
}

void add_rope(std::vector<Case>& cases) {
  constexpr size_t N = 256, H = 6, D = 48;
  cases.push_back(component("rope", fmt::format("{}x{}x{}", N, H, D), 3.0 * N * H * D, 2 * N * H * D, [=] {
    const RandomNumbers cosine(N * D / 2), sine(N * D / 2);
    std::vector<std::int32_t> positions(N);
    std::iota(positions.begin(), positions.end(), 0);
    std::vector<double> frequencies(D / 2);
    rope_inverse_frequencies(10000, frequencies);
    const RopeAngles angles = {cosine.view<2>({N, D / 2}), sine.view<2>({N, D / 2})};
    rope_angles(positions, frequencies, angles);
    return [=, x = RandomNumbers(N * H * D)] {
      rope_forward(x.view<3>({N, H, D}), {cosine.view<2>({N, D / 2}), sine.view<2>({N, D / 2})},
                   RopePairing::half_split);
    };
  }));
}

void add_cross_entropy(std::vector<Case>& cases) {
  constexpr size_t N = 64, V = 4096;
  const std::string shape = fmt::format("{}x{}", N, V);
  struct Data {
    RandomNumbers logits{N * V, 5}, d_logits{N * V}, log_sum_exp{N};
    std::vector<std::int32_t> targets = std::vector<std::int32_t>(N, 7);
    View<const std::int32_t, 1> target_view() const { return {targets.data(), {N}}; }
  };
  cases.push_back(component("cross entropy forward", shape, (exponential_operations + 3) * N * V, N * V, [] {
    return [d = Data()] {
      keep(cross_entropy_forward(d.logits.view<2>({N, V}), d.target_view(), d.log_sum_exp.view<1>({N})));
    };
  }));
  cases.push_back(component("cross entropy backward", shape, (exponential_operations + 3) * N * V, 3 * N * V, [] {
    return [d = Data()] {
      cross_entropy_backward(d.logits.view<2>({N, V}), d.target_view(), d.log_sum_exp.view<1>({N}), real(1e-9),
                             d.d_logits.view<2>({N, V}));
    };
  }));
}

void add_adamw(std::vector<Case>& cases, ThreadPool& alone) {
  constexpr size_t vocabulary = 32000, dim = 288;  // four arrays of 41 MB, more than caches hold
  LlamaConfig config;
  config.vocabulary_size = vocabulary, config.dim = dim, config.layers = 1;
  const size_t n = parameter_count(config);
  // Memory takes the three arrays that are written beside the four that are read, so only reading has to wait.
  cases.push_back(component("adamw", fmt::format("{}", n), 16.0 * double(n), 4 * n, [=, &alone] {
    struct Data {
      explicit Data(const LlamaConfig& c) : weights(c), gradients(c), optimiser(weights, {}) {
        std::ranges::fill(gradients.flat(), real(0.01));
      }
      LlamaParameters weights, gradients;
      AdamW optimiser;
    };
    return
        [&alone, d = std::make_shared<Data>(config)] { d->optimiser.step(d->weights, d->gradients, 1, 1e-4, alone); };
  }));
}

void add_attention(std::vector<Case>& cases, size_t T, size_t H, size_t G, size_t D) {
  const std::string shape = fmt::format("T {}, {} heads of {}, {} kv", T, H, D, G);
  struct Data {
    Data(size_t rows, size_t heads, size_t kv_heads, size_t head_dim)
        : queries{rows, heads, head_dim}, keys{rows, kv_heads, head_dim}, per_head{rows, heads} {
      run_forward();
    }
    void run_forward() const {
      attention_forward(q.view(queries), k.view(keys), v.view(keys), {}, out.view(queries), log_sum_exp.view(per_head),
                        scratch.span());
    }
    void run_backward() const {
      attention_backward(d_out.view(queries), q.view(queries), k.view(keys), v.view(keys), {}, out.view(queries),
                         log_sum_exp.view(per_head), d_q.view(queries), d_k.view(keys), d_v.view(keys), scratch.span());
    }
    Shape<3> queries, keys;
    Shape<2> per_head;
    RandomNumbers q{element_count(queries)}, k{element_count(keys)}, v{element_count(keys)},
        out{element_count(queries)}, log_sum_exp{element_count(per_head)}, d_out{element_count(queries), 1e-6},
        d_q{element_count(queries)}, d_k{element_count(keys)}, d_v{element_count(keys)},
        scratch{attention_scratch_size(queries[0])};
  };
  // A query meets on average (T + 1) / 2 keys. Forward multiplies twice with them, backward five times.
  const double pairs = double(H) * double(T) * double(T + 1) / 2;
  const size_t numbers = T * (2 * H + 2 * G) * D;
  cases.push_back(component("attention forward", shape, pairs * (4.0 * double(D) + exponential_operations), numbers,
                            [=] { return [d = Data(T, H, G, D)] { d.run_forward(); }; }));
  cases.push_back(component("attention backward", shape, pairs * (10.0 * double(D) + exponential_operations),
                            3 * numbers, [=] { return [d = Data(T, H, G, D)] { d.run_backward(); }; }));
}

}  // namespace

std::vector<Case> component_cases(const Setting&) {
  static ThreadPool alone(1);
  std::vector<Case> components, cases;
  add_rmsnorm(components);
  add_swiglu(components);
  add_rope(components);
  add_cross_entropy(components);
  add_adamw(components, alone);
  add_attention(components, 256, 8, 4, 8);
  add_attention(components, 256, 6, 6, 48);
  for (const std::string_view target : simd::available_targets())
    for (Case c : components) {
      c.target = target;
      cases.push_back(std::move(c));
    }
  return cases;
}

}  // namespace cria::bench
