// GGML's numbers of the tensor types that cria knows, for reading and for writing.
#pragma once

#include <cstdint>
#include <map>

#include "lib/formats/element_type.hpp"

namespace cria {

inline const std::map<std::uint32_t, ElementType> gguf_tensor_types = {
    {0, ElementType::f32},     {1, ElementType::f16},     {2, ElementType::q4_0},  {3, ElementType::q4_1},
    {6, ElementType::q5_0},    {7, ElementType::q5_1},    {8, ElementType::q8_0},  {10, ElementType::q2_k},
    {11, ElementType::q3_k},   {12, ElementType::q4_k},   {13, ElementType::q5_k}, {14, ElementType::q6_k},
    {20, ElementType::iq4_nl}, {23, ElementType::iq4_xs}, {24, ElementType::i8},   {25, ElementType::i16},
    {26, ElementType::i32},    {27, ElementType::i64},    {28, ElementType::f64},  {30, ElementType::bf16}};

}  // namespace cria
