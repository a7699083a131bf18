#include "link.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "hector/check.h"

namespace hector::unix_sockets {

using boost::asio::buffer;
using boost::asio::local::stream_protocol;
using boost::system::error_code;

Link::Link(std::shared_ptr<Io> io, Descriptor connection)
    : io_(std::move(io)), socket_(*io_, stream_protocol(), connection.release()) {
  socket_.non_blocking(true);
}

void Link::begin() {
  boost::asio::post(*io_, [self = shared_from_this()] { self->read(); });
}

void Link::read() {
  const auto room = reader_.room();
  socket_.async_read_some(buffer(room.data(), room.size()),
                          [self = shared_from_this()](const error_code& error, std::size_t octets) {
                            if (error) return self->end("the peer has closed the connection");
                            self->take(octets);
                          });
}

void Link::take(std::size_t octets) {
  reader_.advance(octets);
  for (;;) {
    auto frame = reader_.next();
    if (!frame) return end(frame.error().message);
    if (!*frame) break;
    on_frame(std::move(**frame));
    if (!refused_.empty()) return end(refused_);
  }
  read();
}

void Link::refuse(std::string why) { refused_ = std::move(why); }

void Link::end(const std::string& why) {
  HECTOR_CHECK(!is_gone_, "a connection ends twice");
  is_gone_ = true;
  shut();
  on_gone(why);
}

void Link::send(FrameType type, std::uint64_t call, std::string_view head, Bytes body) {
  Outgoing frame{frame_head(type, call, head.size() + body.size()), std::move(body)};
  frame.head.append(head);
  const std::lock_guard lock(mutex_);
  if (is_broken_) return;
  if (queue_.empty() && (write(frame) || is_broken_)) return;
  const std::size_t left = frame.left();
  if (unsent_.fetch_add(left) + left > kUnsentOctetsMax) return give_up();
  queue_.push_back(std::move(frame));
  if (queue_.size() == 1) write_when_possible();
}

bool Link::write(Outgoing& frame) {
  while (frame.left() != 0) {
    const std::size_t of_body = frame.sent - std::min(frame.sent, frame.head.size());
    const std::size_t of_head = std::min(frame.sent, frame.head.size());
    iovec parts[] = {
        {frame.head.data() + of_head, frame.head.size() - of_head},
        {const_cast<std::uint8_t*>(frame.body.data()) + of_body, frame.body.size() - of_body}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = std::size(parts);
    const ssize_t sent = sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (sent < 0) {
      give_up();
      return false;
    }
    frame.sent += static_cast<std::size_t>(sent);
  }
  return true;
}

/// A socket object is one thread's; the descriptor is not.
void Link::write_when_possible() {
  boost::asio::post(*io_, [self = shared_from_this()] {
    self->socket_.async_wait(stream_protocol::socket::wait_write, [self](const error_code& error) {
      const std::lock_guard lock(self->mutex_);
      if (self->is_broken_) return;
      if (error) return self->give_up();
      self->write_queue();
    });
  });
}

void Link::write_queue() {
  while (!queue_.empty()) {
    Outgoing& first = queue_.front();
    const std::size_t before = first.left();
    const bool is_out = write(first);
    if (is_broken_) return;
    unsent_.fetch_sub(before - first.left());
    if (!is_out) return write_when_possible();
    queue_.pop_front();
  }
}

void Link::give_up() {
  is_broken_ = true;
  queue_.clear();
  unsent_ = 0;
  ::shutdown(socket_.native_handle(), SHUT_RDWR);  // the reader sees the end
}

void Link::shut() {
  const std::lock_guard lock(mutex_);
  if (!is_broken_) give_up();
}

bool UnixFlow::take(const Frame& frame) {
  if (frame.type == FrameType::kFlowData) return deliver(Payload(frame.body));
  if (frame.type == FrameType::kFlowEnd) deliver_end();
  if (frame.type == FrameType::kFlowCredit && frame.body.size() == sizeof(std::uint32_t))
    deliver_credit(read_u32(frame.body.view()));
  return true;
}

void UnixFlow::transmit_credit(std::int64_t octets) {
  HECTOR_CHECK(octets >= 0 && octets <= UINT32_MAX, "credit is given, and not more than there is");
  std::string credit;
  append_u32(credit, static_cast<std::uint32_t>(octets));
  link_->send(FrameType::kFlowCredit, call_, credit, {});
}

}  // namespace hector::unix_sockets
