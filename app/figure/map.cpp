// The map of chapters for docs/README.md: which one builds on which. What is implied by another arrow is left out.
#include "app/figure/figures.hpp"
#include "app/figure/svg.hpp"

namespace cria::figure {
namespace {

constexpr double stage_width = 124, stage_height = 48, row = 71;
constexpr double column[] = {38,  190, 338,
                             486, 634, 782};  // 02, its parts, 05 and 06, 08, what is done with it, tuning
constexpr double top = 100, middle = 252, bottom = middle + 2.5 * row,  // the rows' centres
    last = bottom + row, after_all = last + row;

struct Chapter {
  const char* name;
  const char* adds;
  const char* colour;
  double x, y;  // its left edge, its centre
};

void draw(Svg& svg, const Chapter& c) {
  svg.rect({c.x, c.y - stage_height / 2, stage_width, stage_height}, c.colour, 0.3, 5);
  svg.text(c.x + stage_width / 2, c.y - 3, c.name, "small strong m");
  svg.text(c.x + stage_width / 2, c.y + 14, c.adds, "tiny m");
}

/// Along straight pieces, with a head at the end.
void path(Svg& svg, std::initializer_list<Point> points, const char* colour) {
  svg.curve(std::span(points.begin(), points.size()), colour);
  svg.arrow(*(points.end() - 2), *(points.end() - 1), colour);
}

}  // namespace

std::string draw_map(const Subject&) {
  Svg svg(922, 603, "The chapters, and which builds on which",
          "01 leads to 09 and 11; 02 to 03, 04 and 07; 04 to 05 to 06; 03, 05, 06 and 07 to 08; 08 to 09 and 10; 10 to "
          "11; 11 to 12; 12 to 13; 09 to 17, 10 to 16, 19 and 21, 11 to 20, 12 to 14, 13 to 15, 16 and 17 to 18, and 09 to 22.");
  svg.text(16, 48, "Text at the left; a story and models, and what makes them better, at the right.", "dim");
  const char *text = "line s4", *part = "line s0", *model = "line s5", *use = "line s2";
  const double left = 16, split = column[1] - 12, join = column[3] - 10;

  path(svg, {{left + stage_width, top - 8}, {column[4] - 2, top - 8}}, text);
  path(svg, {{left + 10, top}, {left + 10, bottom}, {column[4] - 2, bottom}}, text);
  for (const double y : {middle - row, middle, middle + 1.5 * row})
    path(svg, {{column[0] + stage_width, middle}, {split, middle}, {split, y}, {column[1] - 2, y}}, part);
  path(svg, {{column[1] + stage_width, middle}, {column[2] - 2, middle}}, part);
  path(svg,
       {{column[2] + stage_width / 2, middle + stage_height / 2},
        {column[2] + stage_width / 2, middle + row - stage_height / 2 - 2}},
       part);
  svg.curve(std::vector<Point>{{column[1] + stage_width, middle - row},
                               {join, middle - row},
                               {join, middle + 1.5 * row},
                               {column[1] + stage_width, middle + 1.5 * row}},
            part);
  svg.curve(std::vector<Point>{{column[2] + stage_width, middle + row}, {join, middle + row}}, part);
  path(svg, {{column[2] + stage_width, middle}, {column[3] - 2, middle}}, part);
  path(svg, {{column[3] + stage_width / 2, middle}, {column[3] + stage_width / 2, top + 8}, {column[4] - 2, top + 8}},
       model);
  path(svg, {{column[3] + stage_width, middle}, {column[4] - 2, middle}}, model);
  for (const double y : {bottom, last, after_all})  // from 10, through 11 and 12
    path(svg, {{column[4] + stage_width / 2, middle}, {column[4] + stage_width / 2, y - stage_height / 2 - 2}}, use);

  for (const double y : {top, middle, bottom, last, after_all})  // to what tunes it, or asks how large it should be
    path(svg, {{column[4] + stage_width, y}, {column[5] - 2, y}}, use);
  const double turn = column[4] + stage_width + 12;
  path(svg, {{column[4] + stage_width, middle}, {turn, middle}, {turn, middle + row}, {column[5] - 2, middle + row}},
       use);

  const double aside = column[4] + 20;
  path(svg, {{aside, middle + stage_height / 2}, {aside, middle + row}, {column[3] + stage_width + 2, middle + row}},
       use);
  const double above = (top + middle) / 2, centre = column[5] + stage_width / 2;
  const double right = column[5] + stage_width, around = right + 8;
  for (const double x : {centre, column[4] + stage_width / 2})  // from 17, and from 09
    path(svg, {{x, top + stage_height / 2}, {x, above - stage_height / 2 - 2}}, use);
  path(svg, {{right, middle + row}, {around, middle + row}, {around, above}, {right + 2, above}}, use);

  const Chapter chapters[] = {
      {"01 bpe", "text into tokens", "f4", left, top},
      {"02 linear", "products, gradients", "f0", column[0], middle},
      {"03 rmsnorm", "a vector's size", "f0", column[1], middle - row},
      {"04 rope", "who stands where", "f0", column[1], middle},
      {"05 attention", "looking back", "f0", column[2], middle},
      {"06 kv-cache", "what is kept", "f0", column[2], middle + row},
      {"07 swiglu", "gates", "f0", column[1], middle + 1.5 * row},
      {"08 llama", "the whole model", "f5", column[3], middle},
      {"09 sampling", "writes a story", "f2", column[4], top},
      {"10 training-step", "loss and AdamW", "f2", column[4], middle},
      {"11 pretraining", "makes a model", "f2", column[4], bottom},
      {"12 open-weights", "runs real ones", "f2", column[4], last},
      {"13 quantisation", "in few bits", "f2", column[4], after_all},
      {"14 sft", "answers", "f1", column[5], last},
      {"15 adapters", "few parameters", "f1", column[5], after_all},
      {"16 reward-model", "gives marks", "f1", column[5], middle + row},
      {"17 rejection", "the best of k", "f1", column[5], top},
      {"18 ppo", "learns from marks", "f1", column[5], above},
      {"19 dpo", "learns preferences", "f1", column[5], middle},
      {"20 scaling-laws", "which size, how long", "f2", column[5], bottom},
      {"22 serving", "answers many", "f2", column[4], (top + middle) / 2},
      {"21 machines", "trains on several", "f2", column[3], middle + row},
  };
  for (const Chapter& c : chapters) {
    svg.rect({c.x, c.y - stage_height / 2, stage_width, stage_height}, "page", 1, 5);  // lines do not shine through
    draw(svg, c);
  }
  return svg.finish();
}

}  // namespace cria::figure
