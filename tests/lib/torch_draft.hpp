// A PyTorch file with one tensor, so that a test can get any part of it wrong.
#pragma once

#include <string>
#include <vector>

#include "tests/torch_writer.hpp"

namespace cria::testing::torch {

using namespace std::string_literals;

struct TorchDraft {
  std::string storage = "FloatStorage", key = "0", name = "w";
  std::int32_t count = 6, offset = 0;
  std::vector<std::int32_t> shape{2, 3}, strides{3, 1};
  std::string before = "";
  std::string end = ".";

  std::string entry() const { return torch_item(name, storage, key, count, offset, shape, strides); }
  std::string pickle() const { return "\x80\x02"s + before + "}(" + entry() + "u" + end; }
  std::string bytes() const {
    return zip(
        {{"a/data.pkl", pickle()}, {"a/byteorder", "little"}, {"a/data/0", packed(0.f, 1.f, 2.f, 3.f, 4.f, 5.f)}});
  }
};

}  // namespace cria::testing::torch
