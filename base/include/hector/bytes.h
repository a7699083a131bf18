// What: Bytes, an immutable, reference-counted, sliceable run of octets; Payload, bytes or a typed
// object.
// Why: a payload is never copied on its way, and two C++ Objects of one capsule exchange an object
// without serialising it.
// Who: messages, protocols, languages.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace hector {

/// Any thread may copy, slice and read; one object is used by one thread at a time.
class Bytes {
 public:
  /// Called once, on any thread, when the last slice is gone.
  using Release = void (*)(void* context) noexcept;

  Bytes() noexcept = default;
  Bytes(const Bytes& other) noexcept
      : data_(other.data_), size_(other.size_), owner_(other.owner_) {
    retain();
  }
  Bytes(Bytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        owner_(std::exchange(other.owner_, nullptr)) {}
  Bytes& operator=(Bytes other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  ~Bytes() { drop(); }

  static Bytes copy(std::string_view text) { return copy(text.data(), text.size()); }
  static Bytes copy(const void* data, std::size_t size) {
    Bytes bytes = allocate(size);
    if (size != 0) std::memcpy(bytes.writable(), data, size);
    return bytes;
  }
  /// Takes the string's own memory.
  static Bytes take(std::string&& text) {
    auto* held = new std::string(std::move(text));
    return adopt(
        held->data(), held->size(), [](void* p) noexcept { delete static_cast<std::string*>(p); },
        held);
  }
  /// `size` octets of undefined content, to be filled through writable() before the value is
  /// shared.
  static Bytes allocate(std::size_t size) {
    if (size == 0) return {};
    void* memory = ::operator new(sizeof(Owner) + size);
    auto* owner = new (memory) Owner{{1}, nullptr, nullptr};
    return Bytes(reinterpret_cast<std::uint8_t*>(owner + 1), size, owner);
  }
  static Bytes adopt(const void* data, std::size_t size, Release release, void* context) {
    return Bytes(static_cast<const std::uint8_t*>(data), size, new Owner{{1}, release, context});
  }
  /// Refers to memory that outlives every slice (literals).
  static Bytes borrow(std::string_view text) {
    return Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), nullptr);
  }

  /// Shares the memory; offset and size are clipped to what is there.
  [[nodiscard]] Bytes slice(std::size_t offset, std::size_t size = SIZE_MAX) const {
    if (offset > size_) offset = size_;
    if (size > size_ - offset) size = size_ - offset;
    Bytes part(*this);
    part.data_ += offset;
    part.size_ = size;
    return part;
  }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return data_; }
  /// Only between allocate() and the first copy or slice.
  [[nodiscard]] std::uint8_t* writable() noexcept { return const_cast<std::uint8_t*>(data_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }
  [[nodiscard]] std::string str() const { return std::string(view()); }

 private:
  struct Owner {
    std::atomic<std::uint32_t> references;
    Release release;
    void* context;
  };
  Bytes(const std::uint8_t* data, std::size_t size, Owner* owner) noexcept
      : data_(data), size_(size), owner_(owner) {}
  void retain() noexcept {
    if (owner_ != nullptr) owner_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void drop() noexcept {
    if (owner_ == nullptr || owner_->references.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    if (owner_->release != nullptr) {
      owner_->release(owner_->context);
      delete owner_;
    } else {
      owner_->~Owner();
      ::operator delete(owner_);
    }
  }

  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  Owner* owner_ = nullptr;
};

/// How a typed object in a Payload is identified, serialised and given up. One static instance a
/// message type and module. Plain C, the same as hector_message_operations of hector.h.
struct TypedOperations {
  /// The same pointer for the same message type throughout the process (its Protobuf Descriptor).
  const void* type;
  /// Asks `allocate(out, size)` for memory once and writes the object's octets there.
  void (*serialise)(const void* object, void* out,
                    std::uint8_t* (*allocate)(void* out, std::size_t size));
  /// Null where the payload only borrows the object: then it is valid until the call that carries
  /// it returns.
  void (*release)(void* object);
};

/// Bytes, or a typed object that becomes bytes only when bytes() asks for them. Move only.
class Payload {
 public:
  Payload() noexcept = default;
  Payload(Bytes bytes) noexcept : bytes_(std::move(bytes)) {}
  Payload(void* object, const TypedOperations& operations) noexcept
      : object_(object), operations_(&operations) {}
  Payload(Payload&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        object_(std::exchange(other.object_, nullptr)),
        operations_(other.operations_) {}
  Payload& operator=(Payload&& other) noexcept {
    if (this == &other) return *this;
    reset();
    bytes_ = std::move(other.bytes_);
    object_ = std::exchange(other.object_, nullptr);
    operations_ = other.operations_;
    return *this;
  }
  ~Payload() { reset(); }

  /// The object if it is of this type, else null. Owned by the payload.
  [[nodiscard]] void* object(const void* type) const noexcept {
    return object_ != nullptr && operations_->type == type ? object_ : nullptr;
  }
  /// Serialises a typed object at most once.
  [[nodiscard]] const Bytes& bytes() {
    if (object_ != nullptr) {
      operations_->serialise(object_, &bytes_, [](void* out, std::size_t size) {
        auto& bytes = *static_cast<Bytes*>(out);
        bytes = Bytes::allocate(size);
        return bytes.writable();
      });
      give_up();
    }
    return bytes_;
  }
  [[nodiscard]] bool is_borrowed() const noexcept {
    return object_ != nullptr && operations_->release == nullptr;
  }
  /// After this the payload is valid wherever it goes.
  void own() {
    if (is_borrowed()) static_cast<void>(bytes());
  }
  void reset() noexcept {
    give_up();
    bytes_ = Bytes();
  }

 private:
  void give_up() noexcept {
    if (object_ != nullptr && operations_->release != nullptr) operations_->release(object_);
    object_ = nullptr;
  }
  Bytes bytes_;
  void* object_ = nullptr;
  const TypedOperations* operations_ = nullptr;
};

}  // namespace hector
