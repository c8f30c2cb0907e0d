// What torch.save writes, piece by piece, so that a test can spoil any of them: a zip archive, and a pickle.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cria::testing::torch {

template <class... Numbers>
std::string packed(Numbers... numbers) {
  std::string out;
  (out.append(reinterpret_cast<const char*>(&numbers), sizeof numbers), ...);
  return out;
}
inline std::uint16_t u16(size_t number) { return static_cast<std::uint16_t>(number); }
inline std::uint32_t u32(size_t number) { return static_cast<std::uint32_t>(number); }

/// A zip archive of stored entries; `method` 8 claims that they are compressed.
inline std::string zip(const std::vector<std::pair<std::string, std::string>>& entries, std::uint16_t method = 0) {
  std::string out, directory;
  for (const auto& [name, data] : entries) {
    const std::string sizes = packed(u32(0), u32(data.size()), u32(data.size()), u16(name.size()), u16(0));
    directory += packed(u32(0x02014b50), u16(20), u16(20), u16(0), method, u16(0), u16(0)) + sizes +
                 packed(u16(0), u16(0), u16(0), u32(0), u32(out.size())) + name;
    out += packed(u32(0x04034b50), u16(20), u16(0), method, u16(0), u16(0)) + sizes + name + data;
  }
  const size_t at = out.size();
  return out + directory + packed(u32(0x06054b50), u16(0), u16(0), u16(entries.size()), u16(entries.size())) +
         packed(u32(directory.size()), u32(at), u16(0));
}

inline std::string text(const std::string& value) { return "X" + packed(u32(value.size())) + value; }
inline std::string whole(std::int32_t value) { return "J" + packed(value); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::int32_t>& numbers) {
  std::string out = "(";
  for (const std::int32_t number : numbers) out += whole(number);
  return out + "t";
}

/// One item of the dictionary: a tensor of a storage.
inline std::string torch_item(const std::string& name, const std::string& storage, const std::string& key,
                              std::int32_t count, std::int32_t offset, const std::vector<std::int32_t>& shape,
                              const std::vector<std::int32_t>& strides) {
  return text(name) + global("torch._utils", "_rebuild_tensor_v2") + "((" + text("storage") + global("torch", storage) +
         text(key) + text("cpu") + whole(count) + "tQ" + whole(offset) + tuple(shape) + tuple(strides) + "\x89" +
         global("collections", "OrderedDict") + ")RtR";
}

}  // namespace cria::testing::torch
