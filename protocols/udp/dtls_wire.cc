#include "dtls_wire.h"

#include <algorithm>
#include <cstring>

#include "hector/check.h"

namespace hector::udp {

namespace {

/// Of a handshake: with its headers it passes every IPv6 link, whose MTU is at least 1,280.
constexpr std::size_t kHandshakeOctets = 1'232;
/// OpenSSL ends a connection after 12 retransmissions of one flight.
constexpr std::size_t kCopies = 10;
/// In OpenSSL's unit. What is due at once is drawn at once; what is due in an hour is never drawn.
constexpr unsigned kAtOnce = 1, kNotAgain = 3'600'000'000;

// Of a record (RFC 6347, 4.1).
constexpr std::size_t kHeaderOctets = 13, kVersionAt = 1, kEpochAt = 3, kLengthAt = 11;
constexpr std::size_t kDtls10 = 0xfeff, kDtls12 = 0xfefd;
/// The explicit part of the nonce and the tag.
constexpr std::size_t kSealedOctetsMin = kRecordOverhead - kHeaderOctets;
constexpr std::size_t kLengthMax = kRecordOctetsMax + kSealedOctetsMin;

std::size_t number_at(Octets octets, std::size_t at) {
  return static_cast<std::size_t>(octets[at]) << 8 | octets[at + 1];
}

}  // namespace

bool is_sound(Octets datagram, Versions versions) {
  while (datagram.size() >= kHeaderOctets) {
    const std::size_t length = number_at(datagram, kLengthAt);
    const std::size_t version = number_at(datagram, kVersionAt);
    const bool is_sealed = number_at(datagram, kEpochAt) != 0;
    const bool is_known = version == kDtls12 ||
                          (versions == Versions::kOfHandshake && !is_sealed && version == kDtls10);
    if (!is_known || length > kLengthMax || length > datagram.size() - kHeaderOctets ||
        (is_sealed && length < kSealedOctetsMin))
      return false;
    datagram = datagram.subspan(kHeaderOctets + length);
  }
  return datagram.empty();
}

struct DtlsWire::Methods {
  static DtlsWire& of(BIO* bio) { return *static_cast<DtlsWire*>(BIO_get_data(bio)); }
  static int write(BIO* bio, const char* data, int size) { return of(bio).write(data, size); }
  static int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    const int octets = of(bio).read(out, size);
    if (octets < 0) BIO_set_retry_read(bio);
    return octets;
  }
  static long control(BIO*, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_DGRAM_QUERY_MTU:
      case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return kHandshakeOctets;
      default:
        return 0;
    }
  }
  static BIO_METHOD* make() {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hector udp");
    HECTOR_CHECK(made != nullptr, "OpenSSL makes no method of a BIO");
    BIO_meth_set_write(made, write);
    BIO_meth_set_read(made, read);
    BIO_meth_set_ctrl(made, control);
    return made;
  }
  static DtlsWire& of(SSL* ssl) { return of(SSL_get_rbio(ssl)); }
  static unsigned on_timer(SSL* ssl, unsigned last) { return of(ssl).on_timer(last); }
  static int make_cookie(SSL* ssl, unsigned char* cookie, unsigned* size) {
    const DtlsWire& wire = of(ssl);
    if (wire.cookies_ == nullptr) return 0;
    const std::string made = wire.cookies_->make(wire.peer_, 0);
    std::memcpy(cookie, made.data(), made.size());
    *size = static_cast<unsigned>(made.size());
    return 1;
  }
  static int check_cookie(SSL* ssl, const unsigned char* cookie, unsigned size) {
    const DtlsWire& wire = of(ssl);
    return wire.cookies_ != nullptr &&
                   wire.cookies_->is_valid({reinterpret_cast<const char*>(cookie), size},
                                           wire.peer_, 0)
               ? 1
               : 0;
  }
};

void DtlsWire::prepare(SSL_CTX& context) {
  SSL_CTX_set_cookie_generate_cb(&context, Methods::make_cookie);
  SSL_CTX_set_cookie_verify_cb(&context, Methods::check_cookie);
  SSL_CTX_set_options(&context, SSL_OP_NO_QUERY_MTU);
  SSL_CTX_set_cipher_list(&context, "ECDHE+AESGCM");  // what a record adds is known: is_sound()
}

void DtlsWire::attach(SSL& ssl) {
  static BIO_METHOD* const method = Methods::make();  // as long as the process: BIOs refer to it
  BIO* const bio = BIO_new(method);
  HECTOR_CHECK(bio != nullptr, "OpenSSL makes no BIO");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(&ssl, bio, bio);
  SSL_set_mtu(&ssl, kHandshakeOctets);
  DTLS_set_timer_cb(&ssl, Methods::on_timer);
}

int DtlsWire::write(const char* data, int size) {
  if (drawing_) {
    keep(data, static_cast<std::size_t>(size));
    return size;
  }
  const Octets part{reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
  if (part.size() >= kEchoOctets && number_at(part, kEpochAt) != 0)
    std::memcpy(sent_[sent_count_++ % kRemembered], data, kEchoOctets);
  socket_.send(peer_, {&part, 1});
  return size;
}

int DtlsWire::read(char* out, int size) {
  drawing_ = false;
  if (incoming_.empty()) return -1;
  const std::size_t octets = std::min(incoming_.size(), static_cast<std::size_t>(size));
  std::memcpy(out, incoming_.data(), octets);
  incoming_ = {};
  return static_cast<int>(octets);
}

/// OpenSSL asks how long it shall wait: with 0 for a new flight, which is being sent now, and with
/// what it waited last for the flight that it writes once more after this.
unsigned DtlsWire::on_timer(unsigned last) {
  drawing_ = last != 0;
  if (!drawing_) {
    ++flight_;
    copies_.clear();
    sent_again_ = 0;
    return kAtOnce;
  }
  copies_.emplace_back();
  return copies_.size() < kCopies ? kAtOnce : kNotAgain;
}

/// OpenSSL writes each message of a retransmission by itself; they share datagrams here.
void DtlsWire::keep(const char* data, std::size_t size) {
  HECTOR_CHECK(!copies_.empty(), "a retransmission is drawn before its time was asked for");
  auto& datagrams = copies_.back().datagrams;
  if (datagrams.empty() || datagrams.back().size() + size > kHandshakeOctets)
    datagrams.emplace_back();
  datagrams.back().append(data, size);
}

bool DtlsWire::send_again() {
  if (sent_again_ >= copies_.size()) return false;
  for (const std::string& each : copies_[sent_again_++].datagrams) {
    const Octets part{reinterpret_cast<const std::uint8_t*>(each.data()), each.size()};
    socket_.send(peer_, {&part, 1});
  }
  return true;
}

bool DtlsWire::has_sent(Octets beginning) const {
  const std::size_t count = std::min(sent_count_, kRemembered);
  return beginning.size() == kEchoOctets &&
         std::any_of(sent_, sent_ + count, [beginning](const char* each) {
           return std::memcmp(each, beginning.data(), kEchoOctets) == 0;
         });
}

void DtlsWire::forget_flight() {
  copies_ = {};
  sent_again_ = 0;
}

}  // namespace hector::udp
