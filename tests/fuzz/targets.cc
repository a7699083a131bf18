#include "fuzz/targets.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <cstring>

#include "age_armor.h"
#include "age_file.h"
#include "audit/record.h"
#include "authorisation.h"
#include "bech32.h"
#include "connection.h"
#include "credentials.h"
#include "dns.h"
#include "dtls_client.h"
#include "dtls_server.h"
#include "expression/omg.h"
#include "expression/xfn.h"
#include "hector/audit.h"
#include "hector/authoring.h"
#include "hector/descriptor.h"
#include "hector/message.h"
#include "hector/reference.h"
#include "hector/types.h"
#include "identity/certificate_chain.h"
#include "identity/token_claims.h"
#include "identity/token_details.h"
#include "identity/token_parts.h"
#include "key_file.h"
#include "keyring.h"
#include "links.h"
#include "name.h"
#include "packet.h"
#include "properties.h"
#include "protocols/heros/wire.h"
#include "protocols/unix/frame.h"
#include "protocols/zeromq/broker.h"
#include "protocols/zeromq/hermes.h"
#include "protocols/zeromq/rpc.h"
#include "resource_file.h"
#include "simulation.h"
#include "status_mapping.h"
#include "tls/testing.h"
#include "trial.h"
#include "trust_changes.h"
#include "types/authoring/format.h"
#include "types/check/binding_check.h"
#include "types/check/conformance.h"
#include "types/check/signature.h"
#include "types/model/reader.h"
#include "types/order/expression.h"
#include "types/order/history.h"
#include "types/order/monitor.h"
#include "zenoh_wire.h"

namespace hector::fuzz {

namespace {

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

void header(const std::uint8_t* data, std::size_t size) {
  const TimePoint now{};
  Header read;
  if (!decode_header(text(data, size), now, read)) return;
  std::string again;
  encode_header(read, now, again);
  Header back;
  if (!decode_header(again, now, back) || back.offer != read.offer ||
      back.metadata != read.metadata || back.operation_name != read.operation_name)
    std::abort();
}

void outcome(const std::uint8_t* data, std::size_t size) {
  Outcome read;
  if (!decode_outcome(text(data, size), read)) return;
  std::string again;
  encode_outcome(read.error ? &*read.error : nullptr, read.trailing, again);
  Outcome back;
  if (!decode_outcome(again, back) || back.error.has_value() != read.error.has_value())
    std::abort();
}

void traceparent(const std::uint8_t* data, std::size_t size) {
  const auto read = TraceContext::parse(text(data, size));
  if (read && TraceContext::parse(read->traceparent())->trace_id != read->trace_id) std::abort();
}

void reference(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(Reference::parse(text(data, size)));
  const auto read = Reference::from_text("hector:" + std::string(text(data, size)));
  if (read && !Reference::from_text(read->text())) std::abort();
}

/// A stream in two pieces, as the first octet says; what is read is what was written.
void unix_frames(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  unix_sockets::FrameReader reader;
  std::string all(text(data + 1, size - 1)), again;
  for (std::size_t at = 0; at < all.size();) {
    const auto room = reader.room();
    const std::size_t piece = std::min({all.size() - at, room.size(), std::size_t{data[0]} + 1});
    std::memcpy(room.data(), all.data() + at, piece);
    reader.advance(piece);
    at += piece;
    for (;;) {
      auto frame = reader.next();
      if (!frame) return;
      if (!*frame) break;
      again += unix_sockets::frame_head((*frame)->type, (*frame)->call, (*frame)->body.size());
      again += (*frame)->body.view();
    }
  }
  if (!all.starts_with(again)) std::abort();
}

void udp_frames(const std::uint8_t* data, std::size_t size) {
  udp::Reader reader({data, size});
  std::size_t frames = 0;
  udp::Frame frame;
  while (udp::read_frame(reader, frame)) {
    if (++frames > size) std::abort();
  }
}

void udp_connection(const std::uint8_t* data, std::size_t size) {
  udp::Connection connection({}, 7);
  connection.send(1, "head", Bytes::copy("body"));
  std::string packet;
  TimePoint now{std::chrono::seconds(1)};
  while (connection.next_packet(now, packet)) {
  }
  std::vector<Bytes> messages;
  for (std::size_t at = 0; at < size;) {  // cut into packets by their first octet
    const std::size_t length = std::min<std::size_t>(size - at, data[at] + 1U);
    connection.receive({data + at, length}, now, messages);
    now += std::chrono::milliseconds(10);
    connection.tick(now);
    while (connection.next_packet(now, packet)) {
    }
    at += length;
  }
}

/// A DTLS server and one client of it that is let in, without a network.
class DtlsWorld final : public udp::DtlsServer::Owner, public udp::DtlsClient::User {
 public:
  class Socket final : public DatagramSocket {
   public:
    bool send(const NetworkAddress&,
              std::span<const std::span<const std::uint8_t>> parts) noexcept override {
      std::string octets;
      for (const auto& part : parts) octets.append(part.begin(), part.end());
      octets_out += octets.size();
      sent.push_back(std::move(octets));
      return true;
    }
    NetworkAddress local() const override { return {}; }
    bool receive_here(TimePoint) noexcept override { return false; }
    Status join(const NetworkAddress&) override { return {}; }
    std::vector<std::string> sent;
    std::size_t octets_out = 0;
  };
  DtlsWorld() {
    for (auto* each : {&context_, &client_context_}) {
      each->clock = &world_;
      each->random = &world_;
      each->executor = &world_;
      each->log = &world_;
    }
    context_.credentials = &north_;
    client_context_.credentials = &south_;
    server.begin(socket);
  }
  static udp::Octets octets(const std::string& of) { return udp::octets_of(of); }
  std::shared_ptr<udp::DtlsClient> client() {
    auto made = udp::DtlsClient::make(client_context_, client_tls_, client_socket, {{}, ""});
    made->send("hello");
    return made;
  }
  /// Passes so many datagrams of this client at this address, and the server's answers.
  void pass(udp::DtlsClient& client, const NetworkAddress& from, int datagrams) {
    while (!client_socket.sent.empty() && datagrams > 0) {
      for (const auto& each : std::exchange(client_socket.sent, {})) {
        if (datagrams-- > 0) server.on_datagram(from, octets(each));
      }
      for (const auto& each : std::exchange(socket.sent, {})) client.on_datagram(octets(each));
    }
  }
  void forget() {
    socket.sent.clear();
    client_socket.sent.clear();
    socket.octets_out = 0;
    packets = 0;
  }
  void on_packet(const std::shared_ptr<udp::Association>&, udp::Octets) override { ++packets; }
  void on_over(const std::shared_ptr<udp::Association>&, const std::string&) override {}
  void on_packet(udp::Octets) override {}
  void on_refused(const Error&) override {}
  void on_gone(const std::string&) override {}

 private:
  testing::Simulation world_{1};
  tls::TestRealm realm_;
  tls::TestCredentials north_{realm_, "capsule/north"}, south_{realm_, "capsule/south"};
  ProtocolContext context_, client_context_;
  tls::Tls::Options options_{
      .transport = tls::Transport::kDatagram, .alpn = {}, .prepare = udp::DtlsWire::prepare};
  tls::Tls tls_{north_, options_}, client_tls_{south_, options_};
  udp::Cookies cookies_{world_, world_};

 public:
  Socket socket, client_socket;
  udp::DtlsServer server{context_, tls_, cookies_, *this};
  int packets = 0;
};

/// Datagrams, each behind two octets of its length, from a sender in one of four states: of nobody
/// known; of an address whose cookie came back; of a peer that is let in; of a server. Nothing is
/// handed over, strangers get no more than they sent and leave nothing behind, and whoever is let
/// in stays.
void udp_dtls(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  static DtlsWorld world;
  static const auto inside = [] {
    auto made = world.client();
    world.pass(*made, {{}, 1}, 100);
    if (world.server.counts().open != 1 || world.packets != 1) std::abort();
    return made;
  }();
  const int state = data[0] % 4;
  std::shared_ptr<udp::DtlsClient> other;
  world.forget();
  if (state == 1 || state == 3) other = world.client();
  if (state == 1) world.pass(*other, {{}, 2}, 2);
  const std::size_t shaking = world.server.counts().shaking;
  world.forget();
  std::size_t octets_in = 0;
  for (std::size_t at = 1; at + 2 <= size;) {
    const std::size_t length =
        std::min<std::size_t>(size - at - 2, (data[at] | data[at + 1] << 8) % 2'048);
    const udp::Octets datagram{data + at + 2, length};
    octets_in += length;
    if (state == 3)
      other->on_datagram(datagram);
    else
      world.server.on_datagram({{},
                                static_cast<std::uint16_t>(state == 2   ? 1
                                                           : state == 1 ? 2
                                                                        : 3)},
                               datagram);
    at += 2 + length;
  }
  const auto counts = world.server.counts();
  if (world.packets != 0 || counts.open != 1 || counts.shaking > shaking) std::abort();
  if (state == 0 && world.socket.octets_out > octets_in) std::abort();
  if (other) other->stop();
}

void zenoh_mark(const std::uint8_t* data, std::size_t size) {
  zenohp::Mark mark;
  if (!zenohp::read_mark(text(data, size), mark)) return;
  std::string again;
  zenohp::write_mark(mark, again);
  if (again != text(data, again.size())) std::abort();
}

void zenoh_address(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(zenohp::Address::parse(std::string(text(data, size))));
}

void protocol_expression(const std::uint8_t* data, std::size_t size) {
  const auto read = types::parse_expression(text(data, size));
  if (!read) return;
  const std::string printed = types::print_expression(*read);
  const auto back = types::parse_expression(printed);
  if (!back || types::print_expression(*back) != printed) std::abort();
}

/// What can be read is checked as well: whether Binding types can work, and Interfaces against each
/// other.
void type_file(const std::uint8_t* data, std::size_t size) {
  auto documents = types::read_type_documents(text(data, size), "fuzz.yaml", "/nowhere");
  if (!documents) return;
  std::vector<types::CompiledPtr> interfaces;
  for (const auto& document : *documents) {
    if (document.binding) static_cast<void>(types::check_binding(*document.binding, {}));
    if (!document.interface) continue;
    if (auto made = types::CompiledInterface::make(*document.interface))
      interfaces.push_back(*made);
  }
  for (std::size_t i = 0; i < interfaces.size() && i < 4; ++i) {
    const auto conformance = types::check_replacement(*interfaces[i], *interfaces[i]);
    if (!conformance.conforms()) std::abort();  // conformance is reflexive
    static_cast<void>(types::check_replacement(*interfaces[i], *interfaces.front()));
  }
}

/// What is laid out once is laid out.
void type_layout(const std::uint8_t* data, std::size_t size) {
  const auto made = types::format_types(std::string(text(data, size)), "fuzz.yaml", "/nowhere");
  if (!made) return;
  const auto again = types::format_types(*made, "fuzz.yaml", "/nowhere");
  if (!again || *again != *made) std::abort();
}

/// A Binding type as another capsule sends it: what is not malformed has an order, and a place in
/// it can be told to another monitor of it.
void binding_model(const std::uint8_t* data, std::size_t size) {
  hector::type::v1::Binding binding;
  if (!binding.ParseFromArray(data, static_cast<int>(size)) || binding.roles().empty() ||
      !types::malformed(binding).empty())
    return;
  types::View view;
  for (int r = 0; r < binding.roles_size(); ++r) view.members.push_back(r % 2 == 0 ? 1 : 2);
  types::Monitor monitor(binding, view), other(binding, view);
  for (std::uint32_t i = 0; i < 16; ++i)
    static_cast<void>(monitor.step(
        types::view_symbol(i % static_cast<std::uint32_t>(std::max(binding.interactions_size(), 1)),
                           data[i % size] % 2)));
  if (!other.replay(monitor.trace())) std::abort();
  static_cast<void>(types::common_history(binding, view, {{0, 0, monitor.trace()}}));
}

void grpc_session_call(const std::uint8_t* data, std::size_t size) {
  Header header;
  const auto payload = grpcp::from_session_buffer(Bytes::copy(data, size), TimePoint{}, header);
  if (payload && payload->size() > size) std::abort();
}

void descriptor_set(const std::uint8_t* data, std::size_t size) {
  google::protobuf::FileDescriptorSet files;
  if (!files.ParseFromArray(data, static_cast<int>(size))) return;
  const auto pool = types::MessagePool::make(files);
  if (!pool) return;
  const auto names = (*pool)->names();
  for (std::size_t i = 0; i < names.size() && i < 8; ++i) {
    std::vector<Finding> reasons;
    types::check_message(*(*pool)->find(names[i]), *(*pool)->find(names[0]), "fuzz", reasons);
  }
}

void constraint(const std::uint8_t* data, std::size_t size) {
  const std::string expression(text(data, size));
  const auto read = expression::compile_constraint(expression, {});
  if (read) {
    const expression::Value values[] = {expression::Value::of(std::int64_t{1}),
                                        expression::Value::of(std::string_view("x")),
                                        expression::Value::of(true), expression::Value()};
    std::vector<expression::Value> slots;
    for (std::size_t i = 0; i < read->tree().names.size(); ++i) slots.push_back(values[i % 4]);
    static_cast<void>(read->matches(slots));
    if (!read->is_always()) static_cast<void>(expression::print(read->tree(), read->tree().root));
  }
  static_cast<void>(expression::compile_preference(expression, {}));
  static_cast<void>(expression::compile_filter(expression, {"a", "1"}));
}

void resource_file(const std::uint8_t* data, std::size_t size) {
  const std::string all(text(data, size));
  for (const auto dialect : {policy::Dialect::kXrm, policy::Dialect::kHector}) {
    policy::Quarks quarks;
    policy::Database database(quarks);
    const auto read = policy::read_resources(all, {dialect}, [&](policy::Entry entry) {
      static_cast<void>(database.put(entry));
      if (const auto spec = policy::Database::canonical(entry.spec);
          spec && policy::Database::canonical(*spec).value() != *spec)
        std::abort();
      return Status{};
    });
    static_cast<void>(read);
    static_cast<void>(
        database.get({quarks.find("a"), quarks.find("b")}, {quarks.find("A"), quarks.find("B")}));
  }
}

void composite_name(const std::uint8_t* data, std::size_t size) {
  const auto components = naming::parse_name(text(data, size));
  if (!components) return;
  const auto back = naming::parse_name(naming::print_name(*components));
  if (naming::print_name(*components).size() <= naming::kNameOctetsMax &&
      (!back || *back != *components))
    std::abort();
}

void filter(const std::uint8_t* data, std::size_t size) {
  const auto read = expression::compile_filter(text(data, size), {"colour", "9"});
  if (!read) return;
  const expression::Value items[] = {expression::Value::of(std::string_view("dark blue")),
                                     expression::Value::of(std::int64_t{9})};
  std::vector<expression::Value> slots(read->tree().names.size(), expression::Value::of(items, 2));
  static_cast<void>(read->matches(slots));
}

void property(const std::uint8_t* data, std::size_t size) {
  trading::Names names;
  google::protobuf::Map<std::string, std::string> values;
  values["x"] = std::string(text(data, size));
  if (const auto read = trading::Properties::of(values, names))
    static_cast<void>(expression::print(read->get(names.find("x"))));
}

/// A panic of the library is a mistake, whatever the input.
template <class T>
bool is_read(const Result<T>& result) {
  if (!result && result.error().code == Code::kInternal) std::abort();
  return result.has_value();
}

void rights(const std::uint8_t* data, std::size_t size) {
  const std::string all(text(data, size));
  static_cast<void>(is_read(policy::read_entity_id(all)));
  service::v1::PolicyEntity ann;
  ann.set_id(all);
  static_cast<void>(is_read(policy::Authorisation().check_entity(ann)));
  ann.set_id("User::ann");
  ann.set_attributes(all);
  ann.set_tags(all);
  static_cast<void>(is_read(policy::Authorisation().check_entity(ann)));
  ann.set_attributes(
      R"({"level": 3, "tags": ["a"], "boss": {"__entity": {"type": "User", "id": "bob"}}})");
  ann.set_tags(R"({"a": 1})");
  ann.add_parents("Group::lab");
  policy::Authorisation rights;
  if (!is_read(rights.put_entity("ann", ann))) std::abort();
  const bool is_good = is_read(rights.put_rules("fuzz", all));
  service::v1::PolicyAuthorisation asked;
  asked.set_principal("User::ann");
  asked.set_action("bind");
  asked.set_resource("Service::s");
  asked.set_context(R"({"n": 1})");
  const auto decision = rights.decide(asked);
  if (!is_read(decision) || (decision->allowed() && !is_good)) std::abort();
  asked.set_context(all);
  static_cast<void>(is_read(rights.decide(asked)));
  service::v1::PolicySchema schema;
  (*(*schema.mutable_entities())["User"].mutable_attributes())["level"] = "Long?";
  static_cast<void>(is_read(policy::check_rules("fuzz", all, &schema)));
}

void recipe(const std::uint8_t* data, std::size_t size) {
  google::protobuf::Map<std::string, std::string> properties;
  properties["a"] = "\"it's\"";
  properties["b"] = "3";
  if (const auto filled =
          trading::follow_recipe(std::string(text(data, size)), "b == 3", properties))
    static_cast<void>(expression::compile_constraint(*filled, {}));
}

/// A .proto text, alone and beside another.
void proto_text(const std::uint8_t* data, std::size_t size) {
  const ProtoTexts older{
      {"a.proto",
       "syntax = \"proto3\";\npackage p;\nmessage M { int32 a = 1; repeated E e = 2; map<string, "
       "M> m = 3; }\nenum E { A = 0; B = 1; }\nservice S { rpc Ask(M) returns (stream M); }\n"}};
  const ProtoTexts newer{{"a.proto", std::string(text(data, size))}};
  const auto models = read_proto_models("a.proto", newer, 1);
  if (models) {
    for (const auto& model : *models) {
      const auto again = make_type_model(model->kind(), model->name(), model->canonical());
      if (!again || (*again)->identity() != model->identity()) std::abort();
      static_cast<void>(check_upgrade(*model, **again, Upgrade::kForward));
    }
  }
  for (const char* category : {"FILE", "WIRE"})
    static_cast<void>(types::breaking_changes(older, newer, category));
}

void dns_answer(const std::uint8_t* data, std::size_t size) {
  const std::vector<unsigned char> reply(data, data + size);
  for (const int type : {1, 28, 33, 16}) {  // A, AAAA, SRV, TXT
    service::v1::NamingBinding binding;
    naming::read_dns_answer(type, reply, binding);
  }
  for (const auto& each : naming::read_dns_pointers(reply))
    static_cast<void>(naming::unescaped_label(each));
}

/// CBOR from others: what is read is written and read again as the same.
void cbor(const std::uint8_t* data, std::size_t size) {
  const auto value = heros::read_cbor(text(data, size));
  if (!value) return;
  const auto again = heros::read_cbor(heros::cbor_of(*value));
  if (!again || !(*again == *value)) std::abort();
  static_cast<void>(value->print());
  static_cast<void>(heros::read_arguments(*value));
}
/// What a HERO says of itself, up to its Interface.
void hero_description(const std::uint8_t* data, std::size_t size) {
  const auto value = heros::read_cbor(text(data, size));
  static_cast<void>(heros::read_error(text(data, size)));
  if (!value) return;
  static_cast<void>(heros::read_discovered(*value));
  const auto description = heros::read_capabilities(*value, "Camera");
  if (!description || description->members.size() > 50) return;
  const auto written = objects::write_interface(*description, "hero.Camera", 1);
  if (!written) return;
  for (const auto& route : written->routes) {
    if (route.member >= description->members.size()) std::abort();
  }
}
/// Frames of one octet of length each, through a broker that goes on serving.
void mdp(const std::uint8_t* data, std::size_t size) {
  std::size_t sent = 0;
  zeromq::Broker broker(
      {}, [&](const std::string&, const zeromq::Frames& frames) { sent += frames.size(); });
  const TimePoint begin{};
  broker.receive("worker", {"", "MDPW01", "\x01", "echo"}, begin);
  std::size_t at = 0;
  for (int message = 0; at < size && message < 100; ++message) {
    const std::string address(1, static_cast<char>('a' + data[at] % 3));
    zeromq::Frames frames;
    for (std::size_t count = data[at++] / 32; count > 0 && at < size; --count) {
      const std::size_t length = std::min<std::size_t>(data[at] % 16, size - at - 1);
      const char* const names[] = {"", "MDPC01", "MDPW01", "MDPC02", "MDPW02"};
      if (data[at] >= 240)
        frames.emplace_back(names[data[at] % 5]);
      else
        frames.emplace_back(reinterpret_cast<const char*>(data) + at + 1, length);
      at += data[at] >= 240 ? 1 : length + 1;
    }
    broker.receive(address, frames, begin + std::chrono::seconds(message));
    broker.tick(begin + std::chrono::seconds(message));
    static_cast<void>(zeromq::read_at_client(frames));
    static_cast<void>(zeromq::read_at_worker(frames));
  }
  sent = 0;
  broker.receive("last", {"", "MDPW01", "\x01", "still"}, begin + std::chrono::seconds(200));
  broker.receive("client", {"", "MDPC01", "still", "x"}, begin + std::chrono::seconds(200));
  if (sent == 0) std::abort();
}
void json_rpc(const std::uint8_t* data, std::size_t size) {
  int answered = 0;
  zeromq::answer_rpc(
      text(data, size),
      [](const std::string&, const objects::Arguments& arguments, const zeromq::RpcDone& done) {
        done(objects::Value::list(arguments.positional));
      },
      [&](const std::string& answer) {
        ++answered;
        if (!answer.empty() && !zeromq::read_json(answer)) std::abort();
      });
  if (answered != 1) std::abort();
  static_cast<void>(zeromq::read_rpc_answer(text(data, size)));
}
void age_header(const std::uint8_t* data, std::size_t size) {
  const auto whole = text(data, size);
  static_cast<void>(privacy::find_header_end(whole));
  const auto header = privacy::read_header(whole);
  if (!header) return;
  // It has one form.
  const auto written = privacy::write_stanzas(header->stanzas);
  if (!whole.starts_with(written) || privacy::covered_by_mac(whole) != written) std::abort();
}
void age_armor(const std::uint8_t* data, std::size_t size) {
  const auto read = [&](std::size_t piece, std::string& out) {
    privacy::ArmorReader reader;
    const auto whole = text(data, size);
    for (std::size_t at = 0; at < size; at += std::min(piece, size - at)) {
      if (!reader.add(whole.substr(at, piece), out)) return false;
    }
    return reader.finish(out).has_value();
  };
  std::string at_once, in_pieces;
  const bool is_armor = read(SIZE_MAX, at_once);
  if (read(3, in_pieces) != is_armor || (is_armor && in_pieces != at_once)) std::abort();
}
/// The identity is that of the files in the corpus.
void age_file(const std::uint8_t* data, std::size_t size) {
  std::vector<privacy::Secret> identities;
  identities.push_back(privacy::Secret::copy(std::string(32, 'i')));
  const auto open = [&](std::size_t piece) {
    std::string out;
    privacy::AgeOpener opener(identities, [&](std::string_view part) { out += part; });
    const auto whole = text(data, size);
    Status status;
    for (std::size_t at = 0; at < size && status; at += std::min(piece, size - at))
      status = opener.add(whole.substr(at, piece));
    if (status) status = opener.finish();
    if (opener.released() != out.size()) std::abort();
    return std::pair{status ? std::string() : status.error().type, out};
  };
  const auto [error, out] = open(SIZE_MAX);
  const auto [other_error, other_out] = open(5);
  if (error != other_error || out != other_out) std::abort();
}
void bech32(const std::uint8_t* data, std::size_t size) {
  const auto read = privacy::bech32_decode(text(data, size));
  if (!read) return;
  const auto back = privacy::bech32_decode(privacy::bech32_encode(read->name, read->octets));
  if (!back || back->name != read->name || back->octets != read->octets) std::abort();
}
void ciphertext(const std::uint8_t* data, std::size_t size) {
  privacy::Keyring ring;
  for (const auto& form : privacy::kTemplates) {
    privacy::KnownKey known;
    known.key = privacy::Secret::copy(std::string(form.key_octets, 'k'));
    known.id = 7 + static_cast<privacy::KeyId>(form.id);
    const std::string name(form.name);
    if (!ring.create({name, name, {}}, std::move(known))) std::abort();
    if (form.signs)
      static_cast<void>(ring.verify(name, "data", text(data, size)));
    else
      static_cast<void>(ring.decrypt({name, "aad"}, text(data, size)));
  }
}
void privacy_step(const std::uint8_t* data, std::size_t size) {
  privacy::Trial trial;
  const auto whole = text(data, size);
  for (std::size_t at = 0; at <= size;) {
    const auto end = std::min(whole.find('\n', at), size);
    if (!trial.run(whole.substr(at, end - at))) return;
    at = end + 1;
  }
}
void hermes_envelope(const std::uint8_t* data, std::size_t size) {
  const std::string whole(text(data, size));
  const auto envelope = zeromq::read_envelope({"\"topic\"", "\"origin\"", whole, "1.5"});
  if (envelope && !zeromq::read_envelope(zeromq::write_envelope(*envelope))) std::abort();
  static_cast<void>(zeromq::read_envelope({whole, whole, whole, whole}));
}

/// What is an id is the same id when it is read again.
void spiffe_id(const std::uint8_t* data, std::size_t size) {
  const auto id = identity::SpiffeId::read(text(data, size));
  if (!id) return;
  if (id->text() != text(data, size) || !identity::is_trust_domain(id->trust_domain()))
    std::abort();
}

/// A whole token, and the same octets as the claims of one: nothing is accepted without keys.
void web_token(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(identity::TokenParts::read(text(data, size)));
  static_cast<void>(identity::TokenClaims::read(text(data, size)));
  if (identity::judge(text(data, size), identity::TrustBundles(), {{}, "us"})) std::abort();
}

void trust_bundle(const std::uint8_t* data, std::size_t size) {
  identity::TrustBundles bundles;
  if (!bundles.add("td", text(data, size))) return;
  static_cast<void>(identity::judge(text(data, size), bundles, {{1717243200, 0}, "us"}));
}

/// PEM with a chain and its authority last, which is trusted.
void certificate_chain(const std::uint8_t* data, std::size_t size) {
  const auto chain = identity::Chain::read(text(data, size));
  if (!chain || chain->others.empty()) return;
  identity::TrustBundle bundle;
  bundle.authorities.push_back(chain->others.back());
  const auto judged = identity::judge_chain(*chain, bundle, {1717243200, 0});
  if (judged && !chain->others.back()->may_sign()) std::abort();
}

/// The DER within a block: its octets are changed here, not their base64.
void certificate(const std::uint8_t* data, std::size_t size) {
  const auto read = identity::Certificate::read(text(data, size));
  if (!read) return;
  static_cast<void>((*read)->leaf_id());
  static_cast<void>((*read)->signature_of(**read));
  if (!(*read)->names_issuer(**read) && (*read)->is_same_authority(**read) == false) std::abort();
}

/// What was read is written and read back as the same.
void token_details(const std::uint8_t* data, std::size_t size) {
  const auto read = identity::read_token_details(text(data, size));
  if (!read) return;
  const auto again = [](const identity::TokenDetails& details) {
    return boost::json::serialize(identity::claims_of({"spiffe://td/a", {}, 1, 2, details}));
  };
  const auto written = again(*read);
  const auto back = identity::read_token_details(written);
  if (!back || again(*back) != written) std::abort();
}

/// A request's octets as a credential, as a bundle and as a revocation. Whoever has no signature of
/// the one key that is trusted here is not accepted; that key's token in the corpus has ended.
void credential(const std::uint8_t* data, std::size_t size) {
  static const std::string key =
      R"({"keys": [{"kty": "EC", "crv": "P-256", "use": "jwt-svid", "kid": "one", )"
      R"("x": "UHXzS-s_FskbQHcrAidVdnydmhjLlx60lilgvMQURWM", )"
      R"("y": "63zsLRIe35wEzDmg7EQEAvzCTR5nqiFLLGFjOHV9fzU"}]})";
  authentication::TrustState state;
  authentication::v1::Credential shown;
  const int octets = static_cast<int>(size);
  if (shown.ParseFromArray(data, octets)) {
    auto bundles = std::make_shared<identity::TrustBundles>();
    if (!bundles->add("td", key)) std::abort();
    if (authentication::examine_credential(shown, {bundles, {1'900'000'000, 0}, "td", "us"}))
      std::abort();
  }
  authentication::v1::Bundle bundle;
  if (bundle.ParseFromArray(data, octets))
    static_cast<void>(authentication::plan_federate(state, bundle));
  authentication::v1::Revocation revocation;
  if (revocation.ParseFromArray(data, octets))
    static_cast<void>(authentication::plan_revoke(state, revocation));
}

/// What is read of a key file is written and read back as the same.
void key_file(const std::uint8_t* data, std::size_t size) {
  const auto read = privacy::read_key_file(text(data, size));
  if (!read) return;
  const auto back = privacy::read_key_file(privacy::write_key_file(*read));
  if (!back || back->salt != read->salt || back->key != read->key || back->gone != read->gone)
    std::abort();
}

/// What is read has one spelling, and the hash of it is the one that writing it gives.
void audit_record(const std::uint8_t* data, std::size_t size) {
  auto read = audit::read_record(text(data, size));
  if (!read) return;
  const std::string hash = read->record.hash;
  const std::string again = audit::write_record(read->record);
  if ((read->record.hash == hash) != read->is_hash_right) std::abort();
  if (read->is_hash_right && again != text(data, size)) std::abort();
}

/// A file of records: none is accepted that does not follow the one before it.
void audit_log(const std::uint8_t* data, std::size_t size) {
  const Descriptor file(memfd_create("audit", MFD_CLOEXEC));
  if (write(file.get(), data, size) != static_cast<ssize_t>(size)) return;
  const auto verdict = audit::verify({"/proc/self/fd/" + std::to_string(file.get())}, {});
  const auto lines = std::count(data, data + size, '\n');
  if (!verdict || verdict->records > static_cast<std::size_t>(lines) ||
      verdict->head.sequence != verdict->records ||
      (!verdict->finding && verdict->records != static_cast<std::size_t>(lines)))
    std::abort();
}

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> all{{"header", header},
                                       {"outcome", outcome},
                                       {"traceparent", traceparent},
                                       {"reference", reference},
                                       {"unix_frames", unix_frames},
                                       {"udp_frames", udp_frames},
                                       {"udp_connection", udp_connection},
                                       {"udp_dtls", udp_dtls},
                                       {"zenoh_mark", zenoh_mark},
                                       {"zenoh_address", zenoh_address},
                                       {"protocol_expression", protocol_expression},
                                       {"type_file", type_file},
                                       {"constraint", constraint},
                                       {"descriptor_set", descriptor_set},
                                       {"grpc_session_call", grpc_session_call},
                                       {"type_layout", type_layout},
                                       {"binding_model", binding_model},
                                       {"resource_file", resource_file},
                                       {"composite_name", composite_name},
                                       {"filter", filter},
                                       {"property", property},
                                       {"rights", rights},
                                       {"recipe", recipe},
                                       {"proto_text", proto_text},
                                       {"dns_answer", dns_answer},
                                       {"cbor", cbor},
                                       {"hero_description", hero_description},
                                       {"mdp", mdp},
                                       {"json_rpc", json_rpc},
                                       {"hermes_envelope", hermes_envelope},
                                       {"spiffe_id", spiffe_id},
                                       {"web_token", web_token},
                                       {"trust_bundle", trust_bundle},
                                       {"certificate_chain", certificate_chain},
                                       {"certificate", certificate},
                                       {"audit_record", audit_record},
                                       {"audit_log", audit_log},
                                       {"age_header", age_header},
                                       {"age_armor", age_armor},
                                       {"age_file", age_file},
                                       {"bech32", bech32},
                                       {"ciphertext", ciphertext},
                                       {"privacy_step", privacy_step},
                                       {"key_file", key_file},
                                       {"token_details", token_details},
                                       {"credential", credential}};
  return all;
}

}  // namespace hector::fuzz
