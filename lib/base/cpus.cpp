#include "lib/base/cpus.hpp"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace cria {
namespace {

namespace fs = std::filesystem;

/// A mounted hierarchy of control groups, as a line of /proc/self/mountinfo has it (see proc(5)).
struct Hierarchy {
  bool is_v2 = false;
  fs::path root, mount_point;  // the group that is mounted there
};

bool lists(std::string names, const std::string& name) {  // "cpu,cpuacct" lists cpu
  return ("," + names + ",").find("," + name + ",") != std::string::npos;
}

std::optional<Hierarchy> hierarchy(const std::string& mount) {
  std::istringstream line(mount);
  const std::vector<std::string> words(std::istream_iterator<std::string>(line), {});
  const auto dash = std::ranges::find(words, "-");  // before it a number of optional words
  if (dash - words.begin() < 5 || words.end() - dash < 4) return std::nullopt;
  const bool is_v2 = dash[1] == "cgroup2";
  if (!is_v2 && !(dash[1] == "cgroup" && lists(dash[3], "cpu"))) return std::nullopt;
  return Hierarchy{is_v2, words[3], words[4]};
}

/// The process's group in a hierarchy, from the lines number:controllers:path of /proc/self/cgroup.
fs::path group_in(const Hierarchy& hierarchy, const fs::path& list) {
  std::ifstream file(list);
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (hierarchy.is_v2 ? line.starts_with("0::") : lists(controllers, "cpu")) return line.substr(second + 1);
  }
  return {};
}

std::optional<double> limit_of(const fs::path& group, bool is_v2) {
  double quota = -1, period = 0;  // "max" is no number, and -1 is what v1 calls no limit
  if (is_v2)
    std::ifstream(group / "cpu.max") >> quota >> period;
  else
    std::ifstream(group / "cpu.cfs_quota_us") >> quota, std::ifstream(group / "cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? std::optional(quota / period) : std::nullopt;
}

size_t allowed_cpus() {
#ifdef __linux__
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) return static_cast<size_t>(CPU_COUNT(&allowed));
#endif
  return std::thread::hardware_concurrency();
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& root) {
  std::optional<double> least;
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const auto mounted = hierarchy(line);
    if (!mounted) continue;
    // Seen from inside a container, the process's group may be named as outside, and be what is mounted.
    fs::path group = group_in(*mounted, root / "proc/self/cgroup").lexically_relative(mounted->root);
    if (group.empty() || *group.begin() == "..") group = ".";
    const fs::path top = root / mounted->mount_point.relative_path();
    for (;; group = group.parent_path()) {
      const auto limit = limit_of(top / group, mounted->is_v2);
      if (limit && !(least && *least <= *limit)) least = limit;
      if (group.empty() || group == ".") break;
    }
  }
  return least;
}

std::size_t available_cpus() {
  const size_t allowed = std::max<size_t>(1, allowed_cpus());
  const auto quota = cpu_quota();
  return quota ? std::min(allowed, static_cast<size_t>(std::ceil(std::min(*quota, 1e6)))) : allowed;
}

}  // namespace cria
