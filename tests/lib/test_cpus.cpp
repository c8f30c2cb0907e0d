// The CPUs that a process may use: those that it is bound to, and what its control groups leave of them.
#ifdef __linux__
#include <sched.h>
#endif

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "lib/base/cpus.hpp"
#include "tests/testing.hpp"

using namespace cria;

namespace {

/// A made-up / with what Linux says of control groups.
class MadeUpRoot {
 public:
  MadeUpRoot() : folder_(std::filesystem::temp_directory_path() / ("cria_cpus_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~MadeUpRoot() { std::filesystem::remove_all(folder_); }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text << "\n";
  }
  auto quota() const { return cpu_quota(folder_); }

 private:
  std::filesystem::path folder_;
};

}  // namespace

TEST_CASE("without control groups, or without a limit in them, there is no quota") {
  MadeUpRoot root;
  CHECK_FALSE(root.quota());
  root.write("proc/self/cgroup", "0::/");
  root.write("proc/self/mountinfo",
             "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw");
  CHECK_FALSE(root.quota());  // the topmost group has no cpu.max
  root.write("sys/fs/cgroup/cpu.max", "max 100000");
  CHECK_FALSE(root.quota());
  for (const char* nonsense : {"", "max", "0 100000", "100000", "100000 0", "-5 100000", "a b"}) {
    root.write("sys/fs/cgroup/cpu.max", nonsense);
    CHECK_FALSE(root.quota());
  }
}

TEST_CASE("of cgroup v2's limits, those of the groups above count too") {
  MadeUpRoot root;
  root.write("proc/self/cgroup", "0::/user.slice/run-1.scope");
  root.write("proc/self/mountinfo", "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate");
  root.write("sys/fs/cgroup/user.slice/run-1.scope/cpu.max", "150000 100000");
  CHECK(root.quota() == 1.5);
  root.write("sys/fs/cgroup/user.slice/cpu.max", "40000 50000");
  CHECK(root.quota() == 0.8);
  root.write("sys/fs/cgroup/user.slice/cpu.max", "max 50000");
  CHECK(root.quota() == 1.5);
  root.write("sys/fs/cgroup/other.slice/cpu.max", "1000 100000");
  CHECK(root.quota() == 1.5);
}

TEST_CASE("in a container the group is what is mounted, whatever it is called outside") {
  MadeUpRoot root;
  root.write("proc/self/mountinfo", "30 22 0:26 /docker/af0 /sys/fs/cgroup ro - cgroup2 cgroup rw");
  root.write("sys/fs/cgroup/cpu.max", "200000 100000");
  for (const char* group : {"0::/docker/af0", "0::/", "0::/../other"}) {
    root.write("proc/self/cgroup", group);
    CHECK(root.quota() == 2);
  }
  root.write("proc/self/cgroup", "0::/docker/af0/inner");
  root.write("sys/fs/cgroup/inner/cpu.max", "100000 100000");
  CHECK(root.quota() == 1);
}

TEST_CASE("cgroup v1's quota is that of the hierarchy with the cpu controller") {
  MadeUpRoot root;
  root.write("proc/self/cgroup", "5:cpuset:/set\n4:cpuacct,cpu:/batch/job\n1:name=systemd:/\n0::/");
  root.write("proc/self/mountinfo",
             "31 22 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
             "32 22 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
             "33 22 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
  root.write("sys/fs/cgroup/cpuset/set/cpu.cfs_quota_us", "1");
  root.write("sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_period_us", "100000");
  root.write("sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_quota_us", "-1");
  CHECK_FALSE(root.quota());
  root.write("sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_quota_us", "300000");
  CHECK(root.quota() == 3);
}

#ifdef __linux__
TEST_CASE("a process that is bound to one CPU has one") {
  cpu_set_t before, one;
  REQUIRE(::sched_getaffinity(0, sizeof(before), &before) == 0);
  CPU_ZERO(&one);
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && CPU_COUNT(&one) == 0; --cpu)
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  REQUIRE(::sched_setaffinity(0, sizeof(one), &one) == 0);
  CHECK(available_cpus() == 1);
  REQUIRE(::sched_setaffinity(0, sizeof(before), &before) == 0);
  CHECK(available_cpus() >= 1);
  CHECK(available_cpus() <= static_cast<size_t>(CPU_COUNT(&before)));
}
#endif
