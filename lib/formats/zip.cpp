// Reads a zip archive from its end: the end record says where the directory is, the directory where each entry's local
// header is, and the entry's bytes follow that. Numbers that do not fit 32 bits are all ones, and stand in zip64
// records.
#include "lib/formats/zip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "lib/base/check.hpp"

namespace cria {
namespace {

constexpr std::uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50,
                        end64_mark = 0x06064b50, locator_mark = 0x07064b50;
constexpr size_t local_size = 30, entry_size = 46, end_size = 22, end64_size = 56, locator_size = 20;
constexpr std::uint16_t zip64_field = 1, encrypted = 1;
constexpr std::uint64_t all_ones = 0xFFFFFFFF;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path, std::span<const std::byte> file) : path_(path), file_(file) {}

  [[noreturn]] void fail(const std::string& why) const { throw UserError(path_.string() + ": " + why); }

  template <class Number>
  Number number(std::uint64_t at) const {
    Number value;
    std::memcpy(&value, part(at, sizeof value).data(), sizeof value);
    return value;
  }
  std::span<const std::byte> part(std::uint64_t at, std::uint64_t size) const {
    if (at > file_.size() || size > file_.size() - at)
      fail("the zip archive points outside of itself (is it cut off?)");
    return file_.subspan(at, size);
  }
  std::string text(std::uint64_t at, std::uint64_t size) const {
    const auto bytes = part(at, size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  void expect(std::uint64_t at, std::uint32_t mark, const char* what) const {
    if (number<std::uint32_t>(at) != mark) fail(fmt::format("expected {} of a zip archive at byte {}", what, at));
  }

  /// Where the directory is, and of how many entries.
  struct Directory {
    std::uint64_t at, count;
  };
  Directory directory() const {
    constexpr size_t longest_comment = 0xFFFF;
    if (file_.size() < end_size) fail("is no zip archive, as PyTorch writes: it is too short");
    std::uint64_t end = file_.size() - end_size;
    for (const std::uint64_t first = end - std::min<std::uint64_t>(end, longest_comment);; --end) {
      if (number<std::uint32_t>(end) == end_mark && number<std::uint16_t>(end + 20) == file_.size() - end - end_size)
        break;
      if (end == first) fail("is no zip archive, as PyTorch writes: its end is missing (is it cut off?)");
    }
    Directory found{number<std::uint32_t>(end + 16), number<std::uint16_t>(end + 10)};
    if (found.at != all_ones && found.count != 0xFFFF) return found;
    if (end < locator_size) fail("its zip64 record is missing");
    expect(end - locator_size, locator_mark, "a zip64 locator");
    const auto end64 = number<std::uint64_t>(end - locator_size + 8);
    expect(end64, end64_mark, "a zip64 end record");
    part(end64, end64_size);
    return {number<std::uint64_t>(end64 + 48), number<std::uint64_t>(end64 + 32)};
  }

  struct Entry {
    std::string name;
    std::uint64_t size, local;
    std::uint64_t next;  // where the directory goes on
  };
  Entry entry(std::uint64_t at) const {
    expect(at, entry_mark, "an entry");
    const auto flags = number<std::uint16_t>(at + 8), method = number<std::uint16_t>(at + 10);
    const auto name_size = number<std::uint16_t>(at + 28), extra_size = number<std::uint16_t>(at + 30);
    const auto comment_size = number<std::uint16_t>(at + 32);
    const std::uint64_t extra = at + entry_size + name_size;
    Entry entry{text(at + entry_size, name_size), number<std::uint32_t>(at + 24), number<std::uint32_t>(at + 42),
                extra + extra_size + comment_size};
    std::uint64_t packed = number<std::uint32_t>(at + 20);
    read_zip64(extra, extra + extra_size, {&entry.size, &packed, &entry.local});
    if (flags & encrypted) fail("an entry is encrypted, expected a plain one");
    if (method != 0 || packed != entry.size) fail("an entry is compressed, expected all to be stored as they are");
    return entry;
  }

  std::span<const std::byte> data(const Entry& entry) const {
    expect(entry.local, local_mark, "a local header");
    const auto name_size = number<std::uint16_t>(entry.local + 26),
               extra_size = number<std::uint16_t>(entry.local + 28);
    if (text(entry.local + local_size, name_size) != entry.name) fail("an entry has two names");
    return part(entry.local + local_size + name_size + extra_size, entry.size);
  }

 private:
  // Of the numbers, those that are all ones stand in the zip64 field, in this order.
  void read_zip64(std::uint64_t at, std::uint64_t end, std::initializer_list<std::uint64_t*> numbers) const {
    while (at + 4 <= end) {
      const auto id = number<std::uint16_t>(at), size = number<std::uint16_t>(at + 2);
      std::uint64_t value = at + 4;
      at = value + size;
      if (id != zip64_field || at > end) continue;
      for (std::uint64_t* wanted : numbers) {
        if (*wanted != all_ones) continue;
        if (value + 8 > at) fail("a zip64 field is too short");
        *wanted = number<std::uint64_t>(value);
        value += 8;
      }
    }
  }

  const std::filesystem::path& path_;
  std::span<const std::byte> file_;
};

}  // namespace

ZipFile::ZipFile(const std::filesystem::path& path) : file_(path) {
  const Reader reader(path, file_.bytes());
  auto [at, count] = reader.directory();
  constexpr std::uint64_t most_entries = 1 << 16;
  if (count > most_entries) reader.fail(fmt::format("has {} entries, expected at most {}", count, most_entries));
  std::vector<std::pair<std::uint64_t, const std::byte*>> places;  // of a local header, and where its bytes end
  for (; count > 0; --count) {
    const Reader::Entry entry = reader.entry(at);
    if (entry.name.find("..") != entry.name.npos || entry.name.starts_with('/'))
      reader.fail("the name of an entry leads out of the archive");
    const std::span<const std::byte> data = reader.data(entry);
    if (!entries_.emplace(entry.name, data).second) reader.fail("two entries have one name");
    places.emplace_back(entry.local, data.data() + data.size());
    at = entry.next;
  }
  std::ranges::sort(places);
  for (size_t i = 1; i < places.size(); ++i)
    if (file_.bytes().data() + places[i].first < places[i - 1].second) reader.fail("two entries overlap");
}

}  // namespace cria
