// What `cria bench` measures besides its sections. Each prints its results and returns the exit code.
#pragma once

#include "app/bench/bench.hpp"
#include "app/bench/sections.hpp"

namespace cria::bench {

/// The ladder of docs/speed.md.
int bench_ladder(const BenchOptions& options, const Setting& setting);

/// Time per token in decoding, prefill and training over the length of the context, and in training over the steps.
int bench_context(const BenchOptions& options, const Setting& setting);

/// Training and decoding alone, and while something else takes one of the cores.
int bench_busy(const BenchOptions& options, const Setting& setting);

/// The most memory that training and decoding took, against what `cria info` states.
int bench_memory(const BenchOptions& options);

/// A server under load: tokens a second, and how long they are waited for.
int bench_serve(const BenchOptions& options);

}  // namespace cria::bench
