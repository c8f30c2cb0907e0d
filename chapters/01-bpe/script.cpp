// Scripts by blocks of code points.
#include "chapters/01-bpe/script.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace cria {
namespace {

constexpr Script no = Script::common, latin = Script::latin;
constexpr Script script(int number) { return static_cast<Script>(static_cast<int>(Script::other) + number); }
constexpr Script greek = script(0), cyrillic = script(1), arabic = script(2), han = script(3), hangul = script(4),
                 georgian = script(5), ethiopic = script(6), cherokee = script(7), myanmar = script(8);

struct Block {
  std::int32_t first;  // up to the next block's
  Script script;
};
constexpr Block blocks[] = {
    {0x0000, latin},      {0x02B9, no},         {0x0370, greek},      {0x0400, cyrillic},   {0x0530, script(10)},
    {0x0590, script(11)}, {0x0600, arabic},     {0x0700, script(12)}, {0x0750, arabic},     {0x0780, script(13)},
    {0x07C0, script(14)}, {0x0800, script(15)}, {0x0840, script(16)}, {0x0870, arabic},     {0x0900, script(17)},
    {0x0980, script(18)}, {0x0A00, script(19)}, {0x0A80, script(20)}, {0x0B00, script(21)}, {0x0B80, script(22)},
    {0x0C00, script(23)}, {0x0C80, script(24)}, {0x0D00, script(25)}, {0x0D80, script(26)}, {0x0E00, script(27)},
    {0x0E80, script(28)}, {0x0F00, script(29)}, {0x1000, myanmar},    {0x10A0, georgian},   {0x1100, hangul},
    {0x1200, ethiopic},   {0x13A0, cherokee},   {0x1400, script(30)}, {0x1680, script(31)}, {0x16A0, script(32)},
    {0x1700, script(33)}, {0x1720, script(34)}, {0x1740, script(35)}, {0x1760, script(36)}, {0x1780, script(37)},
    {0x1800, script(38)}, {0x18B0, script(30)}, {0x1900, script(39)}, {0x1950, script(40)}, {0x1980, script(41)},
    {0x19E0, script(37)}, {0x1A00, script(42)}, {0x1A20, script(43)}, {0x1AB0, no},         {0x1B00, script(44)},
    {0x1B80, script(45)}, {0x1BC0, script(46)}, {0x1C00, script(47)}, {0x1C50, script(48)}, {0x1C80, cyrillic},
    {0x1C90, georgian},   {0x1CC0, script(45)}, {0x1CD0, no},         {0x1D00, latin},      {0x1D26, greek},
    {0x1D2B, cyrillic},   {0x1D2C, latin},      {0x1DC0, no},         {0x1E00, latin},      {0x1F00, greek},
    {0x2000, no},         {0x2071, latin},      {0x2080, no},         {0x2090, latin},      {0x20A0, no},
    {0x212A, latin},      {0x212C, no},         {0x2160, latin},      {0x2189, no},         {0x2C00, script(49)},
    {0x2C60, latin},      {0x2C80, script(50)}, {0x2D00, georgian},   {0x2D30, script(51)}, {0x2D80, ethiopic},
    {0x2DE0, cyrillic},   {0x2E00, no},         {0x3005, han},        {0x3006, no},         {0x3007, han},
    {0x3008, no},         {0x3021, han},        {0x3030, no},         {0x3038, han},        {0x303C, no},
    {0x3041, han},        {0x3105, script(52)}, {0x3131, hangul},     {0x3190, no},         {0x31A0, script(52)},
    {0x31C0, no},         {0x31F0, han},        {0x3200, no},         {0x3400, han},        {0xA000, script(53)},
    {0xA4D0, script(54)}, {0xA500, script(55)}, {0xA640, cyrillic},   {0xA6A0, script(56)}, {0xA700, no},
    {0xA722, latin},      {0xA800, script(57)}, {0xA840, script(58)}, {0xA880, script(59)}, {0xA8E0, script(17)},
    {0xA900, script(60)}, {0xA930, script(61)}, {0xA960, hangul},     {0xA980, script(62)}, {0xA9E0, myanmar},
    {0xAA00, script(63)}, {0xAA60, myanmar},    {0xAA80, script(64)}, {0xAAE0, script(65)}, {0xAB00, ethiopic},
    {0xAB30, latin},      {0xAB70, cherokee},   {0xABC0, script(65)}, {0xAC00, hangul},     {0xD800, no},
    {0xF900, han},        {0xFB00, latin},      {0xFB13, script(10)}, {0xFB1D, script(11)}, {0xFB50, arabic},
    {0xFE00, no},         {0xFE70, arabic},     {0xFF00, latin},      {0xFF66, han},        {0xFFA0, hangul},
    {0xFFE0, no},         {0x20000, han},       {0x32000, no},
};

}  // namespace

Script script_of(std::int32_t code_point) {
  if (code_point < 0) return Script::common;
  if (code_point < 0x80) {
    const std::int32_t letter = code_point | 0x20;
    return letter >= 'a' && letter <= 'z' ? latin : Script::common;
  }
  if (code_point == 0x30FC) return han;  // the long vowel of kana, which is of no script
  const auto category = utf8proc_category(code_point);
  const bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
  const bool mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
  const bool number = category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL;
  const auto above = std::ranges::upper_bound(blocks, code_point, {}, &Block::first);
  const Script block = std::prev(above)->script;
  if (mark && (block == no || block == latin)) return Script::inherited;
  if (!letter && !mark && !number) return Script::common;
  if (number && code_point >= 0xFF10 && code_point <= 0xFF19) return Script::common;
  return code_point == 0xB5 ? Script::common : block;
}

}  // namespace cria
