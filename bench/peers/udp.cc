// What: raw UDP: an echo server and its client, blocking sockets and nothing else.
// Why: the floor under Hector's UDP messaging.
// Who: bench.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstdlib>
#include <string>

#include "peer.h"

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

void serve(int descriptor) {
  sockaddr_in address = loopback(0);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  bind(descriptor, raw, size);
  getsockname(descriptor, raw, &size);
  peer::say(std::to_string(ntohs(address.sin_port)).c_str());
  static char buffer[65'536];
  for (;;) {
    size = sizeof address;
    const ssize_t got = recvfrom(descriptor, buffer, sizeof buffer, 0, raw, &size);
    if (got >= 0) sendto(descriptor, buffer, static_cast<std::size_t>(got), 0, raw, size);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  if (mode == "serve") serve(descriptor);
  const sockaddr_in address = loopback(std::stoi(argv[2]));
  connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  char buffer[peer::kOctets] = {};
  peer::print_p50(std::stoi(argv[3]), [&] {
    if (send(descriptor, buffer, sizeof buffer, 0) < 0 ||
        recv(descriptor, buffer, sizeof buffer, 0) < 0)
      std::abort();
  });
  return 0;
}
