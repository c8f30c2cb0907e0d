#include "app/serve/access.hpp"

#include <fmt/format.h>

#include "app/serve/api_error.hpp"
#include "lib/base/check.hpp"

namespace cria::serve {
namespace {

std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  const bool has_port = colon != host.npos && host.find_first_not_of("0123456789", colon + 1) == host.npos;
  return has_port ? host.substr(0, colon) : host;
}

}  // namespace

void Access::check_page(const http::Request& request) const {
  const std::string* from = request.header("origin");
  if (from && origin != "*" && *from != origin && !is_own_page(*from, request))
    throw ApiError(403, fmt::format("pages of {} may not ask here; --cors says which may", in_quotes(*from)), "",
                   "origin_not_allowed");
  const std::string* host = request.header("host");
  if (is_loopback && api_key.empty() && host && !names_loopback(*host))
    throw ApiError(403, fmt::format("without an API key this is localhost only, not {}", in_quotes(*host)), "",
                   "host_not_allowed");
}

/// A name may have become this machine's address for the sake of a page; an address may not. With a key it does not
/// matter, as strangers' pages do not have it.
bool Access::is_own_page(std::string_view from, const http::Request& request) const {
  const std::string* host = request.header("host");
  if (!host || (from != "http://" + *host && from != "https://" + *host)) return false;
  return !api_key.empty() || names_loopback(*host) || names_address(*host);
}

void Access::check_key(const http::Request& request) const {
  if (api_key.empty()) return;
  const std::string* header = request.header("authorization");
  constexpr std::string_view scheme = "Bearer ";
  const std::string_view given = header ? std::string_view(*header) : std::string_view();
  if (!http::equal_ignoring_case(given.substr(0, scheme.size()), scheme))
    throw ApiError(401, "an API key is needed: Authorization: Bearer KEY", "", "invalid_api_key");
  if (!equal_in_constant_time(given.substr(scheme.size()), api_key))
    throw ApiError(401, "this API key is not the right one", "", "invalid_api_key");
}

bool names_loopback(std::string_view host) {
  host = without_port(host);
  // 127.example.com is a name, and anybody's.
  return http::equal_ignoring_case(host, "localhost") || host == "[::1]" ||
         (host.starts_with("127.") && names_address(host));
}

bool names_address(std::string_view host) {
  host = without_port(host);
  return host.starts_with('[') || (!host.empty() && host.find_first_not_of("0123456789.") == host.npos);
}

bool equal_in_constant_time(std::string_view guess, std::string_view secret) {
  size_t different = guess.size() ^ secret.size();
  for (size_t i = 0; i < guess.size(); ++i)
    different |= static_cast<size_t>(guess[i] ^ (secret.empty() ? 0 : secret[i % secret.size()]));
  return different == 0;
}

}  // namespace cria::serve
