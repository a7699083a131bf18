// What: DtlsWire, what OpenSSL reads datagrams from and writes them to, and when a lost flight of a
// handshake goes again.
// Why: OpenSSL counts its own timers in the system's time; a handshake shall run on the context's
// clock and executor, simulated ones too. So it is made to draw every retransmission at once, which
// are kept here and sent when it is time.
// Who: Association; DtlsServer, for hellos that have no association yet.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "cookies.h"
#include "hector/network.h"
#include "packet.h"

namespace hector::udp {

/// Octets that DTLS adds to a datagram: the record's header, the explicit part of AES-GCM's nonce,
/// and the tag.
inline constexpr std::size_t kRecordOverhead = 13 + 8 + 16;
/// Which versions the records of a datagram may say: DTLS 1.0 as well, in which handshakes begin.
enum class Versions : std::uint8_t { kOfHandshake, kNegotiated };
/// Whether OpenSSL may see it: whole records and nothing else, and those under keys long enough for
/// what AES-GCM adds. Over a shorter one OpenSSL ends the connection, and behind a header that it
/// does not like it looks for records in what follows; anybody can forge either.
[[nodiscard]] bool is_sound(Octets datagram, Versions versions);
/// The most that one record carries.
inline constexpr std::size_t kRecordOctetsMax = 16 * 1'024;

/// Under its owner's lock. An SSL that it is attached to must not be used after its end.
class DtlsWire {
 public:
  /// `cookies` is what an accepting end asks for; null for a connecting one.
  DtlsWire(DatagramSocket& socket, const NetworkAddress& peer, const Cookies* cookies)
      : socket_(socket), peer_(peer), cookies_(cookies) {}
  DtlsWire(const DtlsWire&) = delete;
  DtlsWire& operator=(const DtlsWire&) = delete;

  /// What every context of OpenSSL for datagrams needs (tls::Tls::Options::prepare).
  static void prepare(SSL_CTX& context);
  /// Becomes the transport of this SSL.
  void attach(SSL& ssl);
  void set_peer(const NetworkAddress& peer) { peer_ = peer; }
  [[nodiscard]] const NetworkAddress& peer() const { return peer_; }

  /// The datagram that OpenSSL reads next; valid until withdraw().
  void give(Octets datagram) {
    incoming_ = datagram;
    drawing_ = false;
  }
  void withdraw() { incoming_ = {}; }
  /// Counts the flights of this end's handshake.
  [[nodiscard]] unsigned flight() const { return flight_; }
  /// Sends the retransmission of the latest flight that was not sent yet. False: none is left.
  bool send_again();
  /// Whether one of the latest records under keys began with these kEchoOctets.
  [[nodiscard]] bool has_sent(Octets beginning) const;
  /// The handshake is over.
  void forget_flight();
  /// Whatever is written from here on is sent.
  void stop_drawing() { drawing_ = false; }

 private:
  struct Methods;
  struct Copy {
    std::vector<std::string> datagrams;
  };
  int write(const char* data, int size);
  int read(char* out, int size);
  unsigned on_timer(unsigned last);
  void keep(const char* data, std::size_t size);
  /// A burst may be in flight when the first answer to one of them comes.
  static constexpr std::size_t kRemembered = 32;

  DatagramSocket& socket_;
  NetworkAddress peer_;
  const Cookies* const cookies_;
  Octets incoming_;
  std::vector<Copy> copies_;  ///< of the latest flight
  std::size_t sent_again_ = 0;
  unsigned flight_ = 0;
  bool drawing_ = false;
  char sent_[kRemembered][kEchoOctets] = {};  ///< what the latest records began with
  std::size_t sent_count_ = 0;
};

}  // namespace hector::udp
