// What: Link, one connection of the unix protocol: frames out on any thread, frames in on the
// protocol's own one. UnixFlow, one end of a flow over it.
// Why: what a client's and a server's side share; neither knows of sockets.
// Who: unix_client.cc, unix_server.cc.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "frame.h"
#include "hector/descriptor.h"
#include "hector/stream.h"

namespace hector::unix_sockets {

/// Owners: the protocol, which runs it, and each link: a program may keep a flow longer.
using Io = boost::asio::io_context;

/// What a peer that takes nothing may leave unsent; beyond it the connection ends.
inline constexpr std::size_t kUnsentOctetsMax = 64UL * 1024 * 1024;

class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(std::shared_ptr<Io> io, Descriptor connection);
  virtual ~Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Reads from now on. Once.
  void begin();
  /// In the order of the calls. What cannot be sent any more is dropped: on_gone() follows.
  void send(FrameType type, std::uint64_t call, std::string_view head, Bytes body);
  /// The peer sees the end, after what was sent so far could leave at once. Idempotent.
  void shut();
  [[nodiscard]] std::size_t unsent() const { return unsent_.load(std::memory_order_relaxed); }

 protected:
  // On the protocol's thread:
  virtual void on_frame(Frame frame) = 0;
  /// Nothing more comes: the peer left, it broke the rules, or shut() was called. Once.
  virtual void on_gone(const std::string& why) = 0;
  /// Ends the connection; for on_frame().
  void refuse(std::string why);

 private:
  struct Outgoing {
    std::string head;
    Bytes body;
    std::size_t sent = 0;
    [[nodiscard]] std::size_t left() const { return head.size() + body.size() - sent; }
  };
  void read();
  void take(std::size_t octets);
  void end(const std::string& why);
  // With the lock held:
  /// False: the socket takes no more now.
  bool write(Outgoing& frame);
  void write_when_possible();
  void write_queue();
  void give_up();

  const std::shared_ptr<Io> io_;
  std::mutex mutex_;
  boost::asio::local::stream_protocol::socket socket_;  ///< shut, not closed, before its end
  std::deque<Outgoing> queue_;
  bool is_broken_ = false;
  std::atomic<std::size_t> unsent_{0};
  // Of the protocol's thread:
  FrameReader reader_;
  std::string refused_;
  bool is_gone_ = false;
};

/// One end of a flow over a link.
class UnixFlow final : public WindowedStream {
 public:
  UnixFlow(std::shared_ptr<Link> link, std::uint64_t call, bool can_read, bool can_write)
      : WindowedStream(can_read, can_write), link_(std::move(link)), call_(call) {}
  /// A frame of its kind. False: the peer ignores the window; the call should end.
  bool take(const Frame& frame);

 private:
  void transmit(Payload message) override {
    link_->send(FrameType::kFlowData, call_, {}, message.bytes());
  }
  void transmit_credit(std::int64_t octets) override;
  void transmit_end() override { link_->send(FrameType::kFlowEnd, call_, {}, {}); }

  const std::shared_ptr<Link> link_;  ///< the channel or endpoint has it too
  const std::uint64_t call_;
};

}  // namespace hector::unix_sockets
