#include "values_cbor.h"

#include <cbor.h>
#include <fmt/format.h>

#include <limits>

#include "hector/check.h"

namespace hector::heros {

namespace {

using objects::kNegativeBignum;
using objects::kPositiveBignum;

template <class Encode>
void put(std::string& out, Encode encode) {
  unsigned char head[9];
  const std::size_t size = encode(head, sizeof head);
  HECTOR_CHECK(size > 0, "the head of a CBOR item takes more than nine octets");
  out.append(reinterpret_cast<const char*>(head), size);
}
void put_text(std::string& out, std::string_view text) {
  put(out, [&](unsigned char* to, std::size_t size) {
    return cbor_encode_string_start(text.size(), to, size);
  });
  out.append(text);
}

/// Builds the value item by item, as the library reports them; nothing is allocated for an item
/// before it has come.
class CborReader {
 public:
  Result<Value> read(std::string_view octets) {
    const auto callbacks = make_callbacks();
    std::size_t at = 0;
    while (!is_done_) {
      const auto decoded =
          cbor_stream_decode(reinterpret_cast<const unsigned char*>(octets.data()) + at,
                             octets.size() - at, &callbacks, this);
      if (decoded.status == CBOR_DECODER_NEDATA)
        return refuse(at, octets.size() == 0 ? "there is nothing" : "it ends within an item");
      if (decoded.status != CBOR_DECODER_FINISHED) return refuse(at, "this is no CBOR item");
      at += decoded.read;
      if (!why_.empty()) return refuse(at, why_);
      close_full();
    }
    if (at != octets.size()) return refuse(at, "there is more behind the value");
    return std::move(root_);
  }

 private:
  enum class Holds : std::uint8_t { kItems, kChunks };
  struct Open {
    Value* value;
    std::size_t left;  ///< items to come; kEndless: until a break
    Holds holds;
  };
  /// Until a break, of an item that does not say how long it is.
  static constexpr std::size_t kEndless = SIZE_MAX;

  static tl::unexpected<Error> refuse(std::size_t at, const std::string& why) {
    return fail(Error::invalid_argument(fmt::format("malformed CBOR at octet {}: {}", at, why)));
  }

  /// The place of the next value.
  Value* next() {
    if (++items_ > kCborItemsMax) {
      why_ = fmt::format("more than {} items", kCborItemsMax);
      return nullptr;
    }
    if (open_.empty()) {
      HECTOR_CHECK(!is_done_, "an item comes behind the last");
      if (is_begun_) {
        why_ = "an item where none belongs";
        return nullptr;
      }
      is_begun_ = true;
      return &root_;
    }
    auto& top = open_.back();
    if (top.holds == Holds::kChunks) {
      why_ = "a chunk of another kind";
      return nullptr;
    }
    if (top.left != kEndless) --top.left;
    return &top.value->items.emplace_back();
  }
  void set(Value value) {
    if (auto* const place = next()) *place = std::move(value);
  }
  void begin(Value value, std::size_t count, Holds holds = Holds::kItems) {
    auto* const place = next();
    if (place == nullptr) return;
    *place = std::move(value);
    if (open_.size() >= kCborDepthMax) {
      why_ = fmt::format("nested more than {} deep", kCborDepthMax);
      return;
    }
    open_.push_back({place, count, holds});
  }
  void text(Value value) {
    if (value.kind == Value::Kind::kText && !objects::is_utf8(value.text)) {
      why_ = "a text that is not UTF-8";
      return;
    }
    if (!open_.empty() && open_.back().holds == Holds::kChunks &&
        open_.back().value->kind == value.kind) {
      open_.back().value->text += value.text;
      return;
    }
    set(std::move(value));
  }
  void end() {
    if (open_.empty() || open_.back().left != kEndless ||
        (open_.back().value->kind == Value::Kind::kMap &&
         open_.back().value->items.size() % 2 != 0)) {
      why_ = "a break where nothing can end";
      return;
    }
    open_.pop_back();
  }
  void close_full() {
    HECTOR_CHECK(open_.size() <= kCborDepthMax, "a value is nested deeper than the limit");
    while (!open_.empty() && open_.back().left == 0) open_.pop_back();
    is_done_ = is_begun_ && open_.empty();
  }
  void big(std::uint64_t tag, std::uint64_t value) {
    std::string octets;
    for (int shift = 56; shift >= 0; shift -= 8)
      octets.push_back(static_cast<char>(value >> shift));
    set(Value::tagged(tag, Value::octets(octets)));
  }
  void positive(std::uint64_t value) {
    if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      set(Value::of(static_cast<std::int64_t>(value)));
    else
      big(kPositiveBignum, value);
  }
  void negative(std::uint64_t value) {
    if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      set(Value::of(-1 - static_cast<std::int64_t>(value)));
    else
      big(kNegativeBignum, value);
  }

  static CborReader& self(void* context) { return *static_cast<CborReader*>(context); }
  static std::string_view view(cbor_data data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
  }
  static cbor_callbacks make_callbacks() {
    cbor_callbacks c = cbor_empty_callbacks;
    c.uint8 = [](void* at, std::uint8_t value) { self(at).positive(value); };
    c.uint16 = [](void* at, std::uint16_t value) { self(at).positive(value); };
    c.uint32 = [](void* at, std::uint32_t value) { self(at).positive(value); };
    c.uint64 = [](void* at, std::uint64_t value) { self(at).positive(value); };
    c.negint8 = [](void* at, std::uint8_t value) { self(at).negative(value); };
    c.negint16 = [](void* at, std::uint16_t value) { self(at).negative(value); };
    c.negint32 = [](void* at, std::uint32_t value) { self(at).negative(value); };
    c.negint64 = [](void* at, std::uint64_t value) { self(at).negative(value); };
    c.byte_string = [](void* at, cbor_data data, std::size_t size) {
      self(at).text(Value::octets(view(data, size)));
    };
    c.byte_string_start = [](void* at) {
      self(at).begin(Value::octets(""), kEndless, Holds::kChunks);
    };
    c.string = [](void* at, cbor_data data, std::size_t size) {
      self(at).text(Value::of(view(data, size)));
    };
    c.string_start = [](void* at) { self(at).begin(Value::of(""), kEndless, Holds::kChunks); };
    c.array_start = [](void* at, std::size_t size) { self(at).begin(Value::list(), size); };
    c.indef_array_start = [](void* at) { self(at).begin(Value::list(), kEndless); };
    c.map_start = [](void* at, std::size_t size) {
      if (size > SIZE_MAX / 4)
        self(at).why_ = "a map of that size cannot be";
      else
        self(at).begin(Value::map(), size * 2);
    };
    c.indef_map_start = [](void* at) { self(at).begin(Value::map(), kEndless); };
    c.tag = [](void* at, std::uint64_t tag) {
      Value value;
      value.kind = Value::Kind::kTagged;
      value.tag = tag;
      self(at).begin(std::move(value), 1);
    };
    c.float2 = [](void* at, float value) { self(at).set(Value::of(double{value})); };
    c.float4 = [](void* at, float value) { self(at).set(Value::of(double{value})); };
    c.float8 = [](void* at, double value) { self(at).set(Value::of(value)); };
    c.undefined = [](void* at) { self(at).set(Value::null()); };
    c.null = [](void* at) { self(at).set(Value::null()); };
    c.boolean = [](void* at, bool value) { self(at).set(Value::of(value)); };
    c.indef_break = [](void* at) { self(at).end(); };
    return c;
  }

  Value root_;
  std::vector<Open> open_;
  std::size_t items_ = 0;
  bool is_begun_ = false, is_done_ = false;
  std::string why_;
};

}  // namespace

void write_cbor(const Value& value, std::string& out) {
  switch (value.kind) {
    case Value::Kind::kNull:
      put(out, [](unsigned char* to, std::size_t size) { return cbor_encode_null(to, size); });
      return;
    case Value::Kind::kBoolean:
      put(out, [&](unsigned char* to, std::size_t size) {
        return cbor_encode_bool(value.boolean, to, size);
      });
      return;
    case Value::Kind::kInteger:
      put(out, [&](unsigned char* to, std::size_t size) {
        return value.integer >= 0
                   ? cbor_encode_uint(static_cast<std::uint64_t>(value.integer), to, size)
                   : cbor_encode_negint(static_cast<std::uint64_t>(-1 - value.integer), to, size);
      });
      return;
    case Value::Kind::kReal:
      put(out, [&](unsigned char* to, std::size_t size) {
        return cbor_encode_double(value.real, to, size);
      });
      return;
    case Value::Kind::kText:
      put_text(out, value.text);
      return;
    case Value::Kind::kOctets:
      put(out, [&](unsigned char* to, std::size_t size) {
        return cbor_encode_bytestring_start(value.text.size(), to, size);
      });
      out.append(value.text);
      return;
    case Value::Kind::kList:
      put(out, [&](unsigned char* to, std::size_t size) {
        return cbor_encode_array_start(value.items.size(), to, size);
      });
      break;
    case Value::Kind::kMap:
      put(out, [&](unsigned char* to, std::size_t size) {
        return cbor_encode_map_start(value.items.size() / 2, to, size);
      });
      break;
    case Value::Kind::kTagged:
      put(out, [&](unsigned char* to, std::size_t size) {
        return cbor_encode_tag(value.tag, to, size);
      });
      break;
  }
  for (const auto& each : value.items) write_cbor(each, out);
}
std::string cbor_of(const Value& value) {
  std::string out;
  write_cbor(value, out);
  return out;
}
Result<Value> read_cbor(std::string_view octets) { return CborReader().read(octets); }

}  // namespace hector::heros
