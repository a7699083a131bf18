#include "age_flows.h"

#include "age_file.h"
#include "typed.h"

namespace hector::privacy {

namespace {

/// What one flow is at. `Work` takes the messages: begin(first), add(octets), finish(), each of
/// which appends to `out`. Owned by the read or the write that is outstanding.
template <class Work, class Part>
struct Passage : std::enable_shared_from_this<Passage<Work, Part>> {
  Passage(InFlow<Part> from, OutFlow<v1::Part> to) : parts(std::move(from)), given(to) {}

  void read() {
    parts.read([self = this->shared_from_this()](Result<std::optional<Part>> part) {
      if (!part) return self->given.fail(std::move(part.error()));
      self->take(*part);
    });
  }
  void take(const std::optional<Part>& part) {
    Status done;
    if (!work.has_begun()) done = part ? work.begin(*part) : no_parts();
    if (done) done = part ? work.add(part->octets()) : work.finish();
    const bool is_last = !part || !done;
    if (work.out.empty()) return go_on(is_last, std::move(done));
    v1::Part message;
    message.set_octets(std::exchange(work.out, {}));
    given.write(message, [self = this->shared_from_this(), is_last,
                          done = std::move(done)](const Status& taken) mutable {
      self->go_on(is_last || !taken, taken ? std::move(done) : taken);
    });
  }
  void go_on(bool is_last, Status done) {
    if (!is_last) return read();
    if (!done) return given.fail(typed(std::move(done.error())));
    given.end();
  }
  static Status no_parts() {
    return refuse_argument(
        "the first message names who the file is for: recipients, or identities");
  }

  InFlow<Part> parts;
  OutFlow<v1::Part> given;
  Work work;
};

struct Sealing {
  Status begin(const v1::PlainPart& first) {
    if (first.recipients().empty())
      return refuse_argument("a file is sealed for one recipient at least");
    std::vector<std::string> recipients;
    for (const auto& each : first.recipients()) {
      auto recipient = HECTOR_TRY(read_recipient(each));
      recipients.push_back(std::move(recipient));
    }
    sealer.emplace(recipients, out);
    return {};
  }
  Status add(const std::string& octets) {
    sealer->add(octets, out);
    return {};
  }
  Status finish() {
    sealer->finish(out);
    return {};
  }
  [[nodiscard]] bool has_begun() const { return sealer.has_value(); }

  std::optional<AgeSealer> sealer;
  std::string out;
};

struct Opening {
  Status begin(const v1::SealedPart& first) {
    if (first.identities().empty())
      return refuse_argument("a file is opened by one identity at least");
    for (const auto& each : first.identities()) {
      auto identity = HECTOR_TRY(read_identity(each));
      identities.push_back(std::move(identity));
    }
    opener.emplace(identities, [this](std::string_view part) { out += part; });
    return {};
  }
  Status add(const std::string& octets) { return opener->add(octets); }
  Status finish() { return opener->finish(); }
  [[nodiscard]] bool has_begun() const { return opener.has_value(); }

  std::vector<Secret> identities;
  std::optional<AgeOpener> opener;
  std::string out;
};

}  // namespace

void seal_parts(const InFlow<v1::PlainPart>& parts, const OutFlow<v1::Part>& given) {
  std::make_shared<Passage<Sealing, v1::PlainPart>>(parts, given)->read();
}
void open_parts(const InFlow<v1::SealedPart>& parts, const OutFlow<v1::Part>& given) {
  std::make_shared<Passage<Opening, v1::SealedPart>>(parts, given)->read();
}

}  // namespace hector::privacy
