// The Domain Name System and its service discovery (RFC 1035, 6763) as one naming system, through
// c-ares.
#include "dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <map>
#include <set>

#include "systems.h"

namespace hector::naming {

namespace {

/// To each try; together below what a caller of Naming waits.
constexpr int kAnswerWithinMs = 1'500;
constexpr int kTries = 2;  ///< a datagram may be lost

struct Answer {
  int status = ARES_ECONNREFUSED;
  std::vector<unsigned char> octets;
  [[nodiscard]] bool is_absent() const {
    return status == ARES_ENOTFOUND || status == ARES_ENODATA;
  }
};
struct Library {
  Library() { ares_library_init(ARES_LIB_INIT_ALL); }
  ~Library() { ares_library_cleanup(); }
};

/// Strings of one TXT record set, as RFC 6763 section 6 reads them: keys are compared without case,
/// the first of a key counts, "k" is there without a value, "k=" with an empty one, "=v" is
/// nothing.
void read_texts(const std::vector<unsigned char>& octets, v1::NamingBinding& binding) {
  ares_txt_ext* texts = nullptr;
  if (ares_parse_txt_reply_ext(octets.data(), static_cast<int>(octets.size()), &texts) !=
      ARES_SUCCESS)
    return;
  std::set<std::string> seen;
  for (const auto* each = texts; each != nullptr; each = each->next) {
    const std::string text(reinterpret_cast<const char*>(each->txt), each->length);
    const auto equals = text.find('=');
    std::string key = text.substr(0, equals);
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    if (key.empty() || !seen.insert(key).second || binding.attributes_size() >= 100) continue;
    auto& attribute = *binding.add_attributes();
    attribute.set_id(key);
    if (equals != std::string::npos) attribute.add_values(text.substr(equals + 1));
  }
  ares_free_data(texts);
}

void add_address(v1::NamingBinding& binding, const char* type, const std::string& data) {
  auto& address = *binding.add_addresses();
  address.set_type(type);
  address.set_data(data);
}

void read_addresses(const std::vector<unsigned char>& octets, bool is_six,
                    v1::NamingBinding& binding) {
  char text[INET6_ADDRSTRLEN] = {};
  const int size = static_cast<int>(octets.size());
  if (is_six) {
    ares_addr6ttl all[32];
    int count = 32;
    if (ares_parse_aaaa_reply(octets.data(), size, nullptr, all, &count) != ARES_SUCCESS) return;
    for (int i = 0; i < count; ++i)
      add_address(binding, "inet6", inet_ntop(AF_INET6, &all[i].ip6addr, text, sizeof text));
    return;
  }
  ares_addrttl all[32];
  int count = 32;
  if (ares_parse_a_reply(octets.data(), size, nullptr, all, &count) != ARES_SUCCESS) return;
  for (int i = 0; i < count; ++i)
    add_address(binding, "inet", inet_ntop(AF_INET, &all[i].ipaddr, text, sizeof text));
}

void read_services(const std::vector<unsigned char>& octets, v1::NamingBinding& binding) {
  ares_srv_reply* services = nullptr;
  if (ares_parse_srv_reply(octets.data(), static_cast<int>(octets.size()), &services) !=
      ARES_SUCCESS)
    return;
  std::vector<std::tuple<int, int, std::string>> all;
  for (const auto* each = services; each != nullptr; each = each->next)
    all.emplace_back(each->priority, -each->weight, fmt::format("{}:{}", each->host, each->port));
  ares_free_data(services);
  std::sort(all.begin(), all.end());
  for (const auto& each : all) add_address(binding, "srv", std::get<2>(each));
}

std::string escaped(const std::string& label) {
  std::string text;
  for (const char each : label) {
    if (each == '.' || each == '\\') text += '\\';
    text += each;
  }
  return text;
}

}  // namespace

void read_dns_answer(int type, const std::vector<unsigned char>& reply,
                     v1::NamingBinding& binding) {
  if (type == ns_t_srv)
    read_services(reply, binding);
  else if (type == ns_t_txt)
    read_texts(reply, binding);
  else
    read_addresses(reply, type == ns_t_aaaa, binding);
}

std::vector<std::string> read_dns_pointers(const std::vector<unsigned char>& octets) {
  std::vector<std::string> all;
  hostent* host = nullptr;
  if (ares_parse_ptr_reply(octets.data(), static_cast<int>(octets.size()), nullptr, 0, AF_INET,
                           &host) != ARES_SUCCESS)
    return all;
  for (char** each = host->h_aliases; each != nullptr && *each != nullptr; ++each)
    all.emplace_back(*each);
  ares_free_hostent(host);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::string unescaped_label(std::string_view label) {
  std::string text;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] != '\\' || i + 1 == label.size()) {
      text += label[i];
    } else if (i + 3 < label.size() &&
               std::all_of(label.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                           label.begin() + static_cast<std::ptrdiff_t>(i) + 4,
                           [](unsigned char c) { return std::isdigit(c) != 0; })) {
      text += static_cast<char>(std::atoi(std::string(label.substr(i + 1, 3)).c_str()));
      i += 3;
    } else {
      text += label[++i];
    }
  }
  return text;
}

namespace {

class Dns final : public NamingSystem {
 public:
  Dns(std::string server, std::string domain)
      : server_(std::move(server)), domain_(std::move(domain)) {}

  Result<v1::NamingBinding> lookup(const Components& name) override {
    v1::NamingBinding binding;
    binding.set_type("dns.domain");
    auto domain = HECTOR_TRY(domain_of(name));
    if (domain.empty()) return binding;
    auto answers = HECTOR_TRY(ask(name, domain, {ns_t_a, ns_t_aaaa, ns_t_srv, ns_t_txt}));
    if (std::all_of(answers.begin(), answers.end(),
                    [](const auto& each) { return each.second.is_absent(); })) {
      return refuse_name("NAME_NOT_FOUND", name, name.size() - 1,
                         fmt::format("DNS knows no '{}'", domain));
    }
    read(answers, ns_t_srv, binding);
    binding.set_type(binding.addresses_size() > 0 ? "dns.service" : "dns.host");
    read(answers, ns_t_a, binding);
    read(answers, ns_t_aaaa, binding);
    read(answers, ns_t_txt, binding);
    for (const auto& attribute : binding.attributes()) {
      if (attribute.id() == "hector" && attribute.values_size() == 1)
        binding.set_next(attribute.values(0));
    }
    return binding;
  }
  /// Of a service type ("_ipp._tcp"): its instances; of a domain: the service types that it
  /// announces.
  Result<std::vector<v1::NamingBinding>> list(const Components& name) override {
    auto domain = HECTOR_TRY(domain_of(name));
    const bool is_service = domain.starts_with('_');
    auto answers = ask(name, is_service ? domain : "_services._dns-sd._udp." + domain, {ns_t_ptr});
    if (!answers) return fail(answers.error());
    std::vector<v1::NamingBinding> all;
    for (const auto& each : read_dns_pointers((*answers)[ns_t_ptr].octets)) {
      std::string own = each.ends_with(domain) && each.size() > domain.size()
                            ? each.substr(0, each.size() - domain.size() - 1)
                            : each;
      all.emplace_back().set_name(print_name({is_service ? unescaped_label(own) : own}));
      all.back().set_type(is_service ? "dns.service" : "dns.service_type");
    }
    return all;
  }
  v1::NamingSyntax syntax() const override {
    v1::NamingSyntax syntax;
    syntax.set_direction("right_to_left");
    syntax.set_separator(".");
    syntax.set_escape("\\");
    syntax.set_ignores_case(true);
    return syntax;
  }

 private:
  /// Each component stands below the one before; where a domain says `hector=…` in a TXT record and
  /// more is to come, that system begins there.
  Result<std::string> domain_of(const Components& name) {
    std::string domain = domain_;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name[i].empty() && i + 1 == name.size()) break;
      if (name[i].empty() || name[i].size() > 255)
        return refuse_name("ILLEGAL_NAME", name, i,
                           "a part of a domain's name has 1 to 255 octets");
      const bool is_instance = domain.starts_with('_') && !name[i].starts_with('_');
      const std::string label = is_instance ? escaped(name[i]) : name[i];
      domain = domain.empty() ? label : label + "." + domain;
      if (i + 1 == name.size() || name[i].starts_with('_')) continue;
      auto answers = HECTOR_TRY(ask(name, domain, {ns_t_txt}));
      v1::NamingBinding texts;
      read(answers, ns_t_txt, texts);
      for (const auto& attribute : texts.attributes()) {
        if (attribute.id() != "hector" || attribute.values_size() != 1) continue;
        v1::NamingStatus status;
        status.set_code("CONTINUE");
        const auto middle = name.begin() + static_cast<std::ptrdiff_t>(i) + 1;
        status.set_resolved_name(print_name({name.begin(), middle}));
        status.set_remaining_name(print_name({middle, name.end()}));
        status.mutable_resolved()->set_next(attribute.values(0));
        return fail(status_error(std::move(status), "another naming system begins here"));
      }
    }
    return domain;
  }

  static void read(const std::map<int, Answer>& answers, int type, v1::NamingBinding& binding) {
    const auto& answer = answers.at(type);
    if (answer.status == ARES_SUCCESS) read_dns_answer(type, answer.octets, binding);
  }
  struct Asking {
    int type;
    Answer* answer;
  };
  static void answered(void* of, int status, int, unsigned char* octets, int size) {
    auto* const asking = static_cast<Asking*>(of);
    asking->answer->status = status;
    if (octets != nullptr) asking->answer->octets.assign(octets, octets + size);
  }
  Result<std::map<int, Answer>> ask(const Components& name, const std::string& domain,
                                    const std::vector<int>& types) {
    static const Library kLibrary;
    ares_options options = {};
    options.timeout = kAnswerWithinMs;
    options.tries = kTries;
    options.flags = ARES_FLAG_NOALIASES | ARES_FLAG_NOSEARCH;
    ares_channel channel = nullptr;
    if (const int failed = ares_init_options(&channel, &options,
                                             ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS);
        failed != ARES_SUCCESS) {
      return refuse_name("CTX_UNAVAILABLE", name, 0, ares_strerror(failed));
    }
    if (!server_.empty() && ares_set_servers_ports_csv(channel, server_.c_str()) != ARES_SUCCESS) {
      ares_destroy(channel);
      return refuse_name("CONFIGURATION_ERROR", name, 0,
                         fmt::format("'{}' is no DNS server: an address and a port are", server_));
    }
    std::map<int, Answer> answers;
    std::vector<Asking> asking;
    asking.reserve(types.size());
    for (const int type : types) {
      asking.push_back({type, &answers[type]});
      ares_query(channel, domain.c_str(), ns_c_in, type, answered, &asking.back());
    }
    wait(channel);
    ares_destroy(channel);
    // A server may refuse one type of record and answer for another.
    if (std::any_of(answers.begin(), answers.end(),
                    [](const auto& each) { return each.second.status == ARES_SUCCESS; }))
      return answers;
    for (const auto& [type, answer] : answers) {
      if (answer.status == ARES_EBADNAME || answer.status == ARES_EFORMERR)
        return refuse_name("ILLEGAL_NAME", name, 0,
                           fmt::format("'{}' is no domain's name", domain));
      if (answer.status != ARES_SUCCESS && !answer.is_absent())
        return refuse_name(
            "CTX_UNAVAILABLE", name, 0,
            fmt::format("DNS does not answer for '{}': {}", domain, ares_strerror(answer.status)));
    }
    return answers;
  }
  /// Ends by c-ares' own time-outs.
  static void wait(ares_channel channel) {
    for (;;) {
      ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
      const int bits = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
      std::vector<pollfd> polls;
      for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
        const short events = static_cast<short>((ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0) |
                                                (ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0));
        if (events != 0) polls.push_back({sockets[i], events, 0});
      }
      if (polls.empty()) return;
      timeval most = {1, 0};
      timeval left = {};
      const timeval* const until = ares_timeout(channel, &most, &left);
      poll(polls.data(), polls.size(),
           static_cast<int>(until->tv_sec * 1000 + until->tv_usec / 1000 + 1));
      bool is_any = false;
      for (const auto& each : polls) {
        if (each.revents == 0) continue;
        is_any = true;
        ares_process_fd(
            channel, (each.revents & (POLLIN | POLLERR | POLLHUP)) != 0 ? each.fd : ARES_SOCKET_BAD,
            (each.revents & POLLOUT) != 0 ? each.fd : ARES_SOCKET_BAD);
      }
      if (!is_any) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
  }

  const std::string server_, domain_;
};

}  // namespace

Result<std::unique_ptr<NamingSystem>> make_dns(const std::string& url) {
  std::string rest = url.substr(4);
  std::string server;
  if (rest.starts_with("//")) {
    const auto slash = rest.find('/', 2);
    server = rest.substr(2, slash == std::string::npos ? slash : slash - 2);
    rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
  }
  return std::make_unique<Dns>(std::move(server), std::move(rest));
}

}  // namespace hector::naming
