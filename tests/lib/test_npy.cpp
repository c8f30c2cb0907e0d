#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include "lib/base/file.hpp"
#include "lib/formats/element_type.hpp"
#include "lib/formats/npy.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

// A version 1 file with this dictionary, not padded, as other writers leave it.
std::string npy_file(const std::string& dictionary, const std::string& data) {
  const std::string header = dictionary + "\n";
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() % 256) +
         static_cast<char>(header.size() / 256) + header + data;
}

NpyArray read_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  std::ofstream(folder / "array.npy", std::ios::binary) << bytes;
  return read_npy(folder / "array.npy");
}

NpyArray read_typed(const std::string& type, const std::string& data) {
  return read_bytes(npy_file("{'descr': '" + type + "', 'fortran_order': False, 'shape': (2,), }", data));
}

template <class T>
void check_round_trip() {
  std::vector<T> values(24);
  std::iota(values.begin(), values.end(), T(100));
  const TemporaryFolder folder;
  write_npy(folder / "a.npy", View<T, 3>(values.data(), {2, 3, 4}));
  const NpyArray npy = read_npy(folder / "a.npy");
  CHECK(npy.shape == std::vector<size_t>{2, 3, 4});
  CHECK(npy.values == std::vector<double>(values.begin(), values.end()));
  CHECK(read_file(folder / "a.npy").size() % 64 == 24 * sizeof(T) % 64);  // numbers start at a multiple of 64
}

}  // namespace

TEST_CASE("an array survives writing and reading in its own type") {
  check_round_trip<float>();
  check_round_trip<double>();
  check_round_trip<std::int32_t>();
  check_round_trip<std::int64_t>();
  check_round_trip<std::uint8_t>();
}

TEST_CASE("the header is written as NumPy writes it, for one dimension, none, and none of an extent") {
  const TemporaryFolder folder;
  const float value = 1.5f;
  write_npy(folder / "one.npy", View<const float, 1>(&value, {1}));
  const std::string one = read_file(folder / "one.npy");
  CHECK(one.substr(10, 61) == "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }    ");
  CHECK(one.size() == 128 + 4);  // numpy.save's size
  write_npy(folder / "scalar.npy", "<f4", {}, std::as_bytes(std::span(&value, 1)));
  CHECK(read_npy(folder / "scalar.npy").shape.empty());
  CHECK(read_npy(folder / "scalar.npy").values == std::vector<double>{1.5});
  write_npy(folder / "empty.npy", View<const float, 2>(&value, {0, 7}));
  CHECK(read_npy(folder / "empty.npy").shape == std::vector<size_t>{0, 7});
}

TEST_CASE("every plain number type is read") {
  const std::vector<double> expected{1, -2};
  CHECK(read_typed("<f8", bytes_of<double>({1, -2})).values == expected);
  CHECK(read_typed("<f4", bytes_of<float>({1, -2})).values == expected);
  CHECK(read_typed("<f2", bytes_of<std::uint16_t>({0x3C00, 0xC000})).values == expected);
  CHECK(read_typed("<i8", bytes_of<std::int64_t>({1, -2})).values == expected);
  CHECK(read_typed("<i4", bytes_of<std::int32_t>({1, -2})).values == expected);
  CHECK(read_typed("<i2", bytes_of<std::int16_t>({1, -2})).values == expected);
  CHECK(read_typed("|i1", bytes_of<std::int8_t>({1, -2})).values == expected);
  CHECK(read_typed("|u1", bytes_of<std::uint8_t>({1, 255})).values == std::vector<double>{1, 255});
  CHECK(read_typed("<u2", bytes_of<std::uint16_t>({1, 65535})).values == std::vector<double>{1, 65535});
  for (const char* type : {"<i1", ">i1", "=i1", "i1"})
    CHECK(read_typed(type, bytes_of<std::int8_t>({1, -2})).values == expected);
  for (const char* type : {"=f4", "|f4", "f4"}) CHECK(read_typed(type, bytes_of<float>({1, -2})).values == expected);
  CHECK(read_typed(">f8", std::string("\x3F\xF0\0\0\0\0\0\0\xC0\0\0\0\0\0\0\0", 16)).values == expected);
  CHECK(read_typed(">f4", std::string("\x3F\x80\0\0\xC0\0\0\0", 8)).values == expected);
  CHECK(read_typed(">f2", std::string("\x3C\0\xC0\0", 4)).values == expected);
  CHECK(read_typed(">i8", std::string("\0\0\0\0\0\0\0\1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", 16)).values == expected);
  CHECK(read_typed(">i2", std::string("\0\1\xFF\xFE", 4)).values == expected);
  CHECK(read_typed(">u4", std::string("\0\0\1\0\0\1\0\0", 8)).values == std::vector<double>{256, 65536});
  CHECK(read_typed("|b1", bytes_of<std::uint8_t>({1, 0})).values == std::vector<double>{1, 0});
}

TEST_CASE("headers as Python 2 and other writers leave them are read as NumPy reads them") {
  for (const char* header : {"{u'descr': u'<i1', u'fortran_order': False, u'shape': (2L, 1L), }",
                             "{\"shape\": (2,1,),\r\n \"descr\": \"|i1\", \"fortran_order\": False}"}) {
    const NpyArray array = read_bytes(npy_file(header, "\1\2"));
    CHECK(array.shape == std::vector<size_t>{2, 1});
    CHECK(array.values == std::vector<double>{1, 2});
  }
}

TEST_CASE("an array in Fortran order is read in row-major order") {
  // [[1, 2, 3], [4, 5, 6]], columns first
  const std::string file = npy_file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", "\1\4\2\5\3\6");
  CHECK(read_bytes(file).values == std::vector<double>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("half precision and bfloat16 are converted exactly, subnormals, infinity and NaN included") {
  CHECK(half_to_float(0x0001) == 0x1p-24f);
  CHECK(half_to_float(0x03FF) == 1023 * 0x1p-24f);
  CHECK(half_to_float(0x0400) == 0x1p-14f);
  CHECK(half_to_float(0x7BFF) == 65504.0f);
  CHECK(half_to_float(0xFC00) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(half_to_float(0x7E00)));
  CHECK(std::signbit(half_to_float(0x8000)));
  CHECK(bfloat16_to_float(0x3F81) == 1.0078125f);
}

TEST_CASE("a damaged .npy file is refused with one line that names it") {
  const std::string data = bytes_of<float>({1, 2});
  const std::string good = npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", data);
  CHECK(read_bytes(good).values == std::vector<double>{1, 2});
  const auto refused = [](const std::string& bytes, const std::string& reason) {
    INFO(reason);
    CHECK_THROWS_AS(read_bytes(bytes), UserError);
    CHECK_THROWS_WITH(read_bytes(bytes), contains("array.npy") && contains(reason));
  };
  refused("", "is not a .npy file");
  refused("\x93NUM", "is not a .npy file");
  refused("\x93NUMPY", "version 0");
  refused("\x93NUMPY\x09" + good.substr(7), "version 9");
  for (size_t cut = 7; cut < good.size() - data.size(); ++cut)
    refused(good.substr(0, cut), "ends within its .npy header");
  refused(good.substr(0, good.size() - 1), "holds 7 bytes of numbers, but shape (2) of type <f4 needs 8");
  refused(good + "x", "holds 9 bytes");
  refused(npy_file("{'descr': '>>4', 'fortran_order': False, 'shape': (2,), }", data), "type \">>4\"");
  refused(npy_file("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", data), "type \"<c8\"");
  refused(npy_file("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", data), "type \"|O\"");
  const std::string huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }";
  refused(npy_file(huge, data), "more than there can be");
  for (const char* header : {"", "{", "{}", "x", "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4}",
                             "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
                             "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (2), }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (2, }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'extra': 1}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x"})
    refused(npy_file(header, data), "header is damaged");
  std::string axes;
  for (int axis = 0; axis < 20'000; ++axis) axes += "1,";
  refused(npy_file("{'descr': '|u1', 'fortran_order': True, 'shape': (" + axes + "), }", "x"),
          "has 20000 axes, expected at most 64");
  CHECK_THROWS_WITH(read_npy("no/such.npy"), contains("no/such.npy"));
}
