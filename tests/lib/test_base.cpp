#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <numeric>
#include <set>
#include <thread>

#include "lib/base/arena.hpp"
#include "lib/base/file.hpp"
#include "lib/base/fingerprint.hpp"
#include "lib/base/signal.hpp"
#include "lib/base/thread_pool.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("a view's rows, axes and shapes address the memory that they window") {
  std::vector<int> memory(24);
  std::iota(memory.begin(), memory.end(), 0);
  const View<int, 3> view(memory.data(), {2, 3, 4});
  CHECK(view(1, 2, 3) == 23);
  CHECK(view[1](2, 3) == 23);
  CHECK(view.at<1>(2)(1, 3) == 23);
  CHECK_FALSE(view.at<1>(2).contiguous());
  CHECK(view.rows(1, 2)(0, 0, 0) == 12);
  CHECK(view.reshape(Shape<2>{6, 4})(5, 3) == 23);
}

TEST_CASE("a range contains its begin, not its end, and nothing below zero") {
  const Range range{2, 4}, from_zero{0, 4};
  CHECK(!range.contains(1));
  CHECK(range.contains(2));
  CHECK(range.contains(size_t{3}));
  CHECK(!range.contains(4));
  CHECK(!from_zero.contains(-1));
}

TEST_CASE("a wrong shape is reported with both shapes") {
  std::vector<real> memory(6);
  const View<real, 2> view(memory.data(), {2, 3});
  CHECK_NOTHROW(require_shape("x", view, Shape<2>{2, 3}));
  CHECK_THROWS_AS(require_shape("x", view, Shape<2>{3, 2}), ContractError);
  CHECK_THROWS_WITH(require_shape("x", view, Shape<2>{3, 2}), "x has shape (2, 3), expected (3, 2)");
}

TEST_CASE("a message stays short, whatever a file holds, and one line of visible text") {
  CHECK(shape_text({}) == "()");
  CHECK(shape_text(std::vector<size_t>(8, 1)) == "(1, 1, 1, 1, 1, 1, 1, 1)");
  CHECK(shape_text(std::vector<size_t>(20'000, 1)) == "(1, 1, 1, 1, 1, 1, 1, 1, …: 20000 axes)");
  CHECK(in_quotes("né \"x\"\n") == R"("né \"x\"\n")");
  CHECK(in_quotes("\x1b[2J\xff\u202E") == R"("\x1b[2J\xff\u202e")");
  CHECK(in_quotes(std::string(1000, 'a')) == '"' + std::string(80, 'a') + "\"… (1000 bytes)");
  CHECK(in_quotes(std::string(79, 'a') + "é") == '"' + std::string(79, 'a') + "\"… (81 bytes)");  // no half character
  CHECK(one_line("a \"b\" c:\\d é\n\x1b\xff") == R"(a "b" c:\d é\n\x1b\xff)");
  CHECK(one_line(std::string(200'000, 'a')) == std::string(1000, 'a') + "…");
}

TEST_CASE("an arena cuts aligned memory in order and refuses when it is used up") {
  Arena<real> arena(10);
  const auto first = arena.take(Shape<2>{2, 3});
  const auto second = arena.take(Shape<1>{4});
  CHECK(reinterpret_cast<std::uintptr_t>(first.data()) % 64 == 0);
  CHECK(second.data() == first.data() + 6);
  CHECK(arena.span().size() == 10);
  CHECK_THROWS_AS(arena.take(Shape<1>{1}), ContractError);
}

TEST_CASE("a large arena is zero, and takes memory only where it is used") {
#ifdef __SANITIZE_THREAD__
  skip_test("under the thread sanitizer all memory is there from the start");
  return;
#endif
  constexpr size_t page = size_t(2) << 20, pages = 256;  // the largest page that the system may give
  Arena<unsigned char> arena(page * pages);
  const std::span<unsigned char> bytes = arena.take(Shape<1>{page * pages}).span();
  CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % page == 0);
  const auto in_memory = [&] {
    std::vector<unsigned char> resident(bytes.size() / 4096);
    REQUIRE(::mincore(bytes.data(), bytes.size(), resident.data()) == 0);
    return std::ranges::count_if(resident, [](unsigned char flags) { return flags & 1; }) * 4096;
  };
  CHECK(in_memory() <= long(page));
  for (size_t i = 0; i < 3; ++i) {
    unsigned char& byte = bytes[i * 100 * page];
    CHECK(byte == 0);
    byte = 1;
  }
  CHECK(in_memory() <= long(4 * page));
}

TEST_CASE("random numbers are the same everywhere, even, and continue from a saved state") {
  Random random(1);
  const Random copy = Random::from_state(random.state());
  Random other = copy;
  double sum = 0, squares = 0;
  for (int i = 0; i < 10000; ++i) {
    const double x = random.normal();
    REQUIRE(x == other.normal());
    sum += x, squares += x * x;
  }
  CHECK(std::abs(sum / 10000) < 0.04);  // four standard errors of the mean of 10000
  CHECK(std::abs(squares / 10000 - 1) < 0.06);
  // llama2.c's generator: the first number after the raw state 1.
  CHECK(Random::from_state(1).next() == static_cast<std::uint32_t>(0x47E4CE4B896CDD1Du >> 32));
}

TEST_CASE("a thread pool runs every index once and passes an exception on") {
  for (const size_t threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 200; ++round) {
      std::vector<int> counts(37);
      pool.for_each(counts.size(), [&](size_t i) { ++counts[i]; });
      REQUIRE(counts == std::vector<int>(37, 1));
    }
    CHECK_THROWS_AS(pool.for_each(9,
                                  [](size_t i) {
                                    if (i == 5) throw UserError("five");
                                  }),
                    UserError);
    CHECK_NOTHROW(pool.for_each(9, [](size_t) {}));
  }
}

#ifdef __GLIBC__
TEST_CASE("a thread pool says when the system grants no more threads") {
  pthread_attr_t usual, huge;
  REQUIRE(pthread_getattr_default_np(&usual) == 0);
  huge = usual;
  pthread_attr_setstacksize(&huge, size_t(1) << 46);  // more than there are addresses
  REQUIRE(pthread_setattr_default_np(&huge) == 0);
  CHECK_THROWS_AS(ThreadPool(3), UserError);
  REQUIRE(pthread_setattr_default_np(&usual) == 0);
  CHECK(ThreadPool(3).size() == 3);
}
#endif

TEST_CASE("the shares of a team are in order, without gaps, and begin at whole grains") {
  Barrier barrier;
  for (const size_t size : {1, 2, 3, 7})
    for (const size_t count : {0, 1, 5, 16, 100})
      for (const size_t grain : {1, 16}) {
        size_t end = 0;
        for (size_t rank = 0; rank < size; ++rank) {
          const Range share = Team(barrier, rank, size).share(count, grain);
          REQUIRE(share.begin == end);
          REQUIRE((share.begin % grain == 0 || share.begin == count));
          end = share.end;
        }
        REQUIRE(end == count);
      }
}

TEST_CASE("a team's threads see what the others wrote before they met") {
  for (const size_t threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    std::vector<int> left(threads), right(threads);
    pool.together([&](const Team& team) {
      const size_t neighbour = (team.rank() + 1) % team.size();
      for (int round = 1; round <= 500; ++round) {
        left[team.rank()] = round;
        team.wait();
        right[team.rank()] += left[neighbour];
        team.wait();
      }
    });
    CHECK(right == std::vector<int>(threads, 500 * 501 / 2));
  }
}

TEST_CASE("who waits long for a signal sleeps, and is woken by its change") {
  Signal question, answer;
  std::jthread other([&] {
    for (std::uint32_t round = 0; round < 20; ++round) {
      question.wait_while(round);
      std::this_thread::sleep_for(std::chrono::milliseconds(round < 2 ? 5 : 0));  // longer than anybody spins
      answer.add(1);
      answer.wake();
    }
  });
  for (std::uint32_t round = 0; round < 20; ++round) {
    question.add(1);
    question.wake();
    answer.wait_while(round);
    CHECK(answer.load() == round + 1);
  }
}

TEST_CASE("a thread of a team that fails does not leave the others waiting") {
  ThreadPool pool(3);
  for (size_t failing = 0; failing < 3; ++failing) {
    CHECK_THROWS_WITH(pool.together([&](const Team& team) {
      team.wait();
      if (team.rank() == failing) throw UserError("one of them");
      team.wait();
      team.wait();
    }),
                      "one of them");
    CHECK_NOTHROW(pool.together([](const Team& team) { team.wait(); }));
  }
}

TEST_CASE("a fingerprint is FNV-1a of 64 bits") {
  CHECK(fingerprint("") == 0xcbf29ce484222325);  // these three are from the list of its authors
  CHECK(fingerprint("a") == 0xaf63dc4c8601ec8c);
  CHECK(fingerprint("foobar") == 0x85944171f73967e8);
}

TEST_CASE("a file is replaced whole or not at all") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "one");
  CHECK(read_file(folder / "a") == "one");
  CHECK_THROWS_AS(write_file_atomically(folder / "a",
                                        [](const WriteBytes& write) {
                                          write("tw");
                                          throw std::runtime_error("stopped half way");
                                        }),
                  std::runtime_error);
  CHECK(read_file(folder / "a") == "one");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK_THROWS_WITH(read_file(folder / "missing"), contains("missing: No such file"));
}

TEST_CASE("a pipe is read like a file, mapped or piece by piece, and its length bounded") {
  const TemporaryFolder folder;
  ::signal(SIGPIPE, SIG_IGN);  // of a pipe that is too long the reader sees only the beginning
  std::string bytes(3'000'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i / 7);
  const auto through_a_pipe = [&](auto read) {
    const auto pipe = folder / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    std::thread writer([&] {
      std::ofstream out(pipe, std::ios::binary);
      out << bytes;
    });
    read(pipe);
    writer.join();
    std::filesystem::remove(pipe);
  };
  through_a_pipe([&](const auto& pipe) { CHECK(read_file(pipe) == bytes); });
  through_a_pipe([&](const auto& pipe) {
    MappedFile file(pipe), moved(std::move(file));
    moved.release(moved.bytes());
    CHECK(moved.text() == bytes);
  });
  through_a_pipe([&](const auto& pipe) {
    InputFile file(pipe);
    std::string text;
    size_t count;
    while ((count = file.read(1'000'001, text)) > 0) CHECK((count == 1'000'001 || text.size() == bytes.size()));
    CHECK(text == bytes);
  });
  through_a_pipe([&](const auto& pipe) {
    CHECK_THROWS_WITH(read_file(pipe, 1000), contains("pipe is too long: expected at most 1000 bytes"));
  });
  write_file_atomically(folder / "a", "four");
  CHECK(read_file(folder / "a", 4) == "four");
  CHECK_THROWS_WITH(read_file(folder / "a", 3), contains("a is too long: expected at most 3 bytes"));
  CHECK_THROWS_WITH(read_file(folder.path()), contains("it is a folder, expected a file"));
  CHECK(read_file("/dev/null").empty());
}

TEST_CASE("a git-lfs pointer is not taken for the file") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
  const std::string message = "a is a git-lfs pointer, not the file itself: fetch it with 'git lfs pull'";
  CHECK_THROWS_WITH(read_file(folder / "a"), contains(message));
  std::string text;
  CHECK_THROWS_WITH(InputFile(folder / "a").read(100, text), contains(message));
}

TEST_CASE("a folder stands for its files in the order of their names") {
  const TemporaryFolder folder;
  for (const char* name : {"texts/b/x", "texts/a", "texts/c", "texts/.hidden", "other", "texts/.git/config"}) {
    std::filesystem::create_directories((folder / name).parent_path());
    write_file_atomically(folder / name, name);
  }
  std::filesystem::create_directories(folder / "empty");
  std::filesystem::create_directory_symlink(folder.path(), folder / "texts/circle");
  using Names = std::vector<std::string>;
  const auto files = list_files(Names{folder / "other", "-", folder / "texts"});
  REQUIRE(files.size() == 5);
  CHECK(files[0] == folder / "other");
  CHECK(files[1] == "-");
  CHECK(shown_path(files[1]) == "standard input");
  CHECK(files[2] == folder / "texts/a");
  CHECK(files[3] == folder / "texts/b/x");
  CHECK(files[4] == folder / "texts/c");
  CHECK_THROWS_WITH(list_files(Names{folder / "absent"}), contains("absent: No such file or directory"));
  CHECK_THROWS_WITH(list_files(Names{folder / "empty"}), contains("empty holds no file"));
}

TEST_CASE("a link stays, and the file that it leads to is replaced") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "large disk");
  write_file_atomically(folder / "large disk" / "a", "one");
  std::filesystem::create_symlink("large disk/a", folder / "a");
  write_file_atomically(folder / "a", "two");
  CHECK(std::filesystem::is_symlink(folder / "a"));
  CHECK(read_file(folder / "large disk" / "a") == "two");
  CHECK(std::distance(std::filesystem::directory_iterator(folder / "large disk"), {}) == 1);
}

TEST_CASE("a link whose file is not there yet stays, and the file is made") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "large disk");
  std::filesystem::create_symlink("large disk/a", folder / "a");
  std::filesystem::create_symlink(folder / "a", folder / "b");
  write_file_atomically(folder / "b", "one");
  CHECK(std::filesystem::is_symlink(folder / "a"));
  CHECK(std::filesystem::is_symlink(folder / "b"));
  CHECK(read_file(folder / "large disk" / "a") == "one");
}

TEST_CASE("a name that the system refuses is a user's error, and a circle of links is left as it is") {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name) { write_file_atomically(folder / name, "one"); };
  CHECK_THROWS_AS(write(std::string(300, 'a')), UserError);
  CHECK_THROWS_WITH(write(std::string(300, 'a')), contains("aaa: File name too long"));
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  CHECK_THROWS_AS(write("a"), UserError);
  CHECK_THROWS_WITH(write("a"), contains("a: Too many levels of symbolic links"));
  CHECK(std::filesystem::is_symlink(folder / "a"));
}

TEST_CASE("what a killed process left beside a file goes when the file is next written, and nothing else does") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    write_file_atomically(folder / "a", [](const WriteBytes& write) {
      write("ne");
      ::raise(SIGKILL);
    });
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  const std::string pid = std::to_string(child), living = "a." + std::to_string(::getppid()) + ".tmp";
  REQUIRE(read_file(folder / ("a." + pid + ".tmp")) == "ne");
  CHECK(read_file(folder / "a") == "old");

  const std::set<std::string> others = {living, "b." + pid + ".tmp", "a." + pid, "a." + pid + "x.tmp", "a..tmp",
                                        "a.tmp"};
  for (const std::string& name : others) write_file_atomically(folder / name, "another's");
  REQUIRE(std::filesystem::exists(folder / ("a." + pid + ".tmp")));
  write_file_atomically(folder / "a", "new");
  CHECK(read_file(folder / "a") == "new");
  std::set<std::string> expected = others, found;
  expected.insert("a");
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    found.insert(entry.path().filename().string());
  CHECK(found == expected);
}

TEST_CASE("a device is written to, not replaced, and a full one is reported") {
  CHECK_NOTHROW(write_file_atomically("/dev/null", "gone"));
  CHECK(std::filesystem::is_character_file("/dev/null"));
  if (!std::filesystem::exists("/dev/full")) return;
  CHECK_THROWS_WITH(write_file_atomically("/dev/full", "too much"), contains("/dev/full: No space left on device"));
  CHECK(std::filesystem::is_character_file("/dev/full"));
}
