// Access: who may ask.
#pragma once

#include <string>
#include <string_view>

#include "lib/http/message.hpp"

namespace cria::serve {

struct Access {
  std::string api_key;       // empty: everybody who may reach this server is answered
  std::string origin;        // of the web pages that may ask: one, or * for all; empty: none
  bool is_loopback = false;  // it listens to this machine only

  /// Throws ApiError 403 for the web pages of others than this server. They say where they come from, but for one whose
  /// name has become an address of this machine meanwhile: that name then stands in the header Host.
  void check_page(const http::Request& request) const;
  /// Throws ApiError 401 without the key.
  void check_key(const http::Request& request) const;

 private:
  bool is_own_page(std::string_view from, const http::Request& request) const;
};

/// Whether a header Host is localhost or a loopback address, with any port.
bool names_loopback(std::string_view host);
/// Whether it is an address of any machine, with any port, and no name.
bool names_address(std::string_view host);

/// Takes the same time wherever the first difference is.
bool equal_in_constant_time(std::string_view guess, std::string_view secret);

}  // namespace cria::serve
