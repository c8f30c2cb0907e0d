// How many CPUs this process may use: what threads are counted by where nobody says how many.
//
// Fewer than the machine has, where the process is bound to some (`taskset`, a batch system) or its control group has a
// quota of CPU time (a container, `systemd-run -p CPUQuota=`). A thread more than these would only wait for the others.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace cria {

/// At least 1. A quota's fraction counts as one more: 1.5 CPUs keep two threads busy for three quarters of the time.
std::size_t available_cpus();

/// CPUs' worth of time that the control groups of this process (Linux: cgroup v2's cpu.max, v1's cpu.cfs_quota_us)
/// allow it, its own and those above; nothing where none is limited. `root` stands for / in tests.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

}  // namespace cria
