// Files that become shorter while they are mapped.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "lib/base/file.hpp"
#include "lib/base/shrunk_file.hpp"
#include "tests/apart.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr size_t length = 1 << 20;

void write_file(const std::filesystem::path& path) {
  std::ofstream(path, std::ios::binary) << std::string(length, 'x');
}

/// What the process says on standard error goes to this file.
void speak_into(const std::filesystem::path& path) {
  ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
}

char touch(const std::byte* at) { return *reinterpret_cast<const volatile char*>(at); }

}  // namespace

TEST_CASE("who looks at what is gone of a mapped file ends with one line and exit code 2") {
  const TemporaryFolder folder;
  const auto path = folder / "weights", other = folder / "other";
  write_file(path), write_file(other);
  const Apart ended = run_apart([&] {
    speak_into(folder / "said");
    explain_shrunk_files();
    MappedFile first(other), moved = MappedFile(path);
    first = std::move(moved);  // the memory stays where it is, and so does what is known of it
    std::filesystem::resize_file(path, 4096);
    touch(first.bytes().data() + length - 1);
  });
  CHECK(ended.code == 2);
  CHECK(read_file(folder / "said") == "cria: " + path.string() + " became shorter while it was read\n");
}

TEST_CASE("another cause of the same signal does what it did before") {
  const TemporaryFolder folder;
  write_file(folder / "weights"), write_file(folder / "mine");
  const Apart ended = run_apart([&] {
    explain_shrunk_files();
    const MappedFile file(folder / "weights");
    { const MappedFile forgotten(folder / "weights"); }
    const int mine = ::open((folder / "mine").c_str(), O_RDONLY);
    const auto* bytes = static_cast<const std::byte*>(::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, mine, 0));
    std::filesystem::resize_file(folder / "mine", 0);
    touch(bytes);
  });
  CHECK(ended.code == -SIGBUS);
}

TEST_CASE("a file that lost a part of its last page only is noticed when a part of it has been read") {
  const TemporaryFolder folder;
  const auto path = folder / "weights";
  write_file(path);
  const MappedFile file(path);
  file.release(file.bytes());
  std::filesystem::resize_file(path, length - 1);
  CHECK(touch(file.bytes().data() + length - 1) == '\0');  // no signal, and not what was there
  CHECK_THROWS_AS(file.release(file.bytes()), UserError);
  CHECK_THROWS_WITH(file.release(file.bytes()), contains("weights became shorter while it was read"));
}
