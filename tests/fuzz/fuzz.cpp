// Reads bytes that libFuzzer makes up, with one of the readers: they are read, or refused with a UserError.
//
//   fuzz READER FOLDER [-max_total_time=60 …]   goes on from what the folder holds; an empty one gets seeds
//   fuzz READER FILE                            reads one input again
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "lib/base/check.hpp"
#include "tests/fuzz/readers.hpp"

namespace {

namespace fs = std::filesystem;
using cria::fuzz::Reader;

const Reader* reader;
fs::path input;  // in a folder of its own, in memory where there is such a place

void write(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

const Reader* find_reader(std::string_view name) {
  for (const Reader& candidate : cria::fuzz::readers())
    if (candidate.name == name) return &candidate;
  return nullptr;
}

void make_seeds(const fs::path& folder) {
  fs::create_directories(folder);
  if (!fs::is_empty(folder)) return;
  int number = 0;
  for (const std::string& seed : reader->seeds()) write(folder / fmt::format("seed-{}", number++), seed);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  reader = *count > 1 ? find_reader((*arguments)[1]) : nullptr;
  if (!reader) {
    fmt::print(stderr, "fuzz READER FOLDER [option of libFuzzer …], where READER is one of");
    for (const Reader& known : cria::fuzz::readers()) fmt::print(stderr, " {}", known.name);
    fmt::print(stderr, "\n");
    std::exit(2);
  }
  std::rotate(*arguments + 1, *arguments + 2, *arguments + *count);  // libFuzzer sees the rest
  --*count;
  if (*count > 1 && !fs::is_regular_file((*arguments)[1])) make_seeds((*arguments)[1]);
  std::string folder =
      (fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string()) + "/cria-fuzz-" + std::string(6, 'X');
  cria::require(::mkdtemp(folder.data()) != nullptr, "fuzz", "cannot make a folder");
  static std::string made = folder;
  std::atexit([] { fs::remove_all(made); });
  input = fs::path(folder) / reader->file;
  // Beside a part of Meta's.
  write(fs::path(folder) / "params.json", R"({"dim": 3, "n_layers": 1, "n_heads": 1, "vocab_size": -1})");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, size_t size) {
  write(input, {reinterpret_cast<const char*>(bytes), size});
  try {
    reader->read(input);
  } catch (const cria::UserError& error) {
    const std::string_view message = error.what();
    if (message.empty() || message.find('\n') != message.npos) {
      fmt::print(stderr, "not one line: {}\n", message);
      std::abort();
    }
  }
  return 0;
}
