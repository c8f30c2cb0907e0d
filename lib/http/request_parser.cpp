#include "lib/http/request_parser.hpp"

#include <algorithm>
#include <charconv>

namespace cria::http {
namespace {

/// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text,
                             [](char c) { return (static_cast<unsigned char>(c) < 32 && c != '\t') || c == 127; });
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// The whole text as a number; throws Refusal for anything else.
std::size_t read_length(std::string_view text, int base, const char* what) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error == std::errc::invalid_argument || end != text.data() + text.size())
    throw Refusal(400, std::string(what) + " is no number");
  if (error == std::errc::result_out_of_range) throw Refusal(413, std::string(what) + " is too large");
  return value;
}

}  // namespace

std::size_t RequestParser::take(std::string_view bytes) {
  const std::size_t all = bytes.size();
  begun_ = begun_ || all > 0;
  while (!bytes.empty() && !complete()) {
    if (state_ == State::body || state_ == State::chunk) {
      const std::size_t count = std::min(left_, bytes.size());
      request_.body.append(bytes.substr(0, count));
      bytes.remove_prefix(count);
      left_ -= count;
      if (left_ == 0) state_ = state_ == State::body ? State::complete : State::chunk_end;
      continue;
    }
    const std::size_t end = bytes.find('\n');
    const std::size_t count = std::min(end, bytes.size() - 1) + 1;
    head_ += count;
    if (head_ > limits_.head) {
      if (state_ == State::first_line) throw Refusal(414, "the first line is too long");
      throw Refusal(431, "the headers are longer than " + std::to_string(limits_.head) + " bytes");
    }
    line_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    if (end == bytes.npos) break;
    if (!line_.ends_with("\r\n")) throw Refusal(400, "a line ends without CR LF");
    line_.resize(line_.size() - 2);
    take_line();
    line_.clear();
  }
  return all - bytes.size();
}

void RequestParser::take_line() {
  switch (state_) {
    case State::first_line:
      if (!line_.empty()) take_first_line();  // a line break too many after the request before is forgiven
      return;
    case State::headers:
      return line_.empty() ? end_headers() : take_header();
    case State::chunk_size:
      return take_chunk_size();
    case State::chunk_end:
      if (!line_.empty()) throw Refusal(400, "a chunk is longer than it says");
      state_ = State::chunk_size;
      head_ = 0;
      return;
    case State::trailers:
      if (line_.empty()) state_ = State::complete;  // what they say is for nobody here
      return;
    default:
      return;
  }
}

void RequestParser::take_first_line() {
  const std::size_t first = line_.find(' '), last = line_.rfind(' ');
  if (first == line_.npos || first == last) throw Refusal(400, "the first line is no METHOD TARGET VERSION");
  request_.method = line_.substr(0, first);
  const std::string target = line_.substr(first + 1, last - first - 1), version = line_.substr(last + 1);
  if (!is_token(request_.method)) throw Refusal(400, "the method is no word");
  if (!version.starts_with("HTTP/")) throw Refusal(400, "the first line does not end with HTTP/1.1");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") throw Refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  request_.version_1_0 = version == "HTTP/1.0";
  if (target.size() > limits_.target) throw Refusal(414, "what is asked for is too long");
  if ((!target.starts_with('/') && target != "*") || has_control(target) || target.find(' ') != target.npos)
    throw Refusal(400, "what is asked for does not begin with /");
  const std::size_t question = std::min(target.find('?'), target.size());
  request_.path = target.substr(0, question);
  request_.query = target.substr(std::min(question + 1, target.size()));
  state_ = State::headers;
}

void RequestParser::take_header() {
  if (request_.headers.size() == limits_.headers)
    throw Refusal(431, "there are more than " + std::to_string(limits_.headers) + " headers");
  const std::string_view line = line_;
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view value = trimmed(line.substr(std::min(colon + 1, line.size())));
  if (colon == line.size() || !is_token(line.substr(0, colon))) throw Refusal(400, "a header is no NAME: VALUE");
  if (has_control(value)) throw Refusal(400, "a header has a control character");
  std::string name(line.substr(0, colon));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  for (const char* once : {"host", "content-length", "transfer-encoding", "authorization", "content-type", "expect"})
    if (name == once && request_.header(name)) throw Refusal(400, "the header " + name + " is there twice");
  request_.headers.emplace_back(std::move(name), value);
}

void RequestParser::end_headers() {
  if (!request_.version_1_0 && !request_.header("host")) throw Refusal(400, "there is no header Host");
  const std::string* length = request_.header("content-length");
  const std::string* coding = request_.header("transfer-encoding");
  if (length && coding) throw Refusal(400, "there are both Content-Length and Transfer-Encoding");
  if (coding && (request_.version_1_0 || !equal_ignoring_case(*coding, "chunked")))
    throw Refusal(501, "no transfer coding but chunked is known");
  if (const std::string* expect = request_.header("expect")) {
    if (!equal_ignoring_case(*expect, "100-continue")) throw Refusal(417, "nothing but 100-continue can be expected");
    expects_continue_ = !request_.version_1_0;
  }
  head_ = 0;
  if (coding) {
    state_ = State::chunk_size;
    return;
  }
  left_ = length ? read_length(*length, 10, "Content-Length") : 0;
  if (left_ > limits_.body) throw Refusal(413, "the body is longer than " + std::to_string(limits_.body) + " bytes");
  state_ = left_ == 0 ? State::complete : State::body;
}

void RequestParser::take_chunk_size() {
  const std::string_view line = line_;
  left_ = read_length(trimmed(line.substr(0, line.find(';'))), 16, "the length of a chunk");
  if (left_ > limits_.body - request_.body.size())
    throw Refusal(413, "the body is longer than " + std::to_string(limits_.body) + " bytes");
  state_ = left_ == 0 ? State::trailers : State::chunk;
  head_ = 0;
}

}  // namespace cria::http
