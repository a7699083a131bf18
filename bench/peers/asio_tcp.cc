// What: the Boost.Asio peer: an asynchronous echo server over TCP, and a client that sends and
// waits through the reactor. Why: what Hector's calls cost beside a reactor with nothing on it.
// Who: bench.
#include <array>
#include <boost/asio.hpp>
#include <memory>
#include <string>

#include "peer.h"

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using Buffer = std::array<char, peer::kOctets>;

void echo_on(const std::shared_ptr<tcp::socket>& socket, const std::shared_ptr<Buffer>& buffer) {
  asio::async_read(*socket, asio::buffer(*buffer),
                   [=](const boost::system::error_code& error, std::size_t) {
                     if (error) return;
                     asio::async_write(*socket, asio::buffer(*buffer),
                                       [=](const boost::system::error_code& failed, std::size_t) {
                                         if (!failed) echo_on(socket, buffer);
                                       });
                   });
}

void accept_on(tcp::acceptor& acceptor) {
  acceptor.async_accept([&](const boost::system::error_code& error, tcp::socket accepted) {
    if (error) return;
    accepted.set_option(tcp::no_delay(true));
    echo_on(std::make_shared<tcp::socket>(std::move(accepted)), std::make_shared<Buffer>());
    accept_on(acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  asio::io_context context(1);
  if (mode == "serve") {
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    peer::say(std::to_string(acceptor.local_endpoint().port()).c_str());
    accept_on(acceptor);
    context.run();
    return 0;
  }
  tcp::socket socket(context);
  socket.connect(
      {asio::ip::address_v4::loopback(), static_cast<unsigned short>(std::stoi(argv[2]))});
  socket.set_option(tcp::no_delay(true));
  Buffer buffer{};
  peer::print_p50(std::stoi(argv[3]), [&] {
    asio::async_write(socket, asio::buffer(buffer),
                      [&](const boost::system::error_code& error, std::size_t) {
                        if (error) std::abort();
                        asio::async_read(socket, asio::buffer(buffer),
                                         [](const boost::system::error_code& failed, std::size_t) {
                                           if (failed) std::abort();
                                         });
                      });
    context.restart();
    context.run();
  });
  return 0;
}
