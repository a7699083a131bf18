// CORBA's CosNaming (omniNames and its like) as one naming system, through omniORB. A library of
// its own, loaded with the first such name: who has no CORBA does not pay for an ORB.
#include <fmt/format.h>
#include <omniORB4/CORBA.h>

#include <algorithm>
#include <mutex>
#include <omniORB4/Naming.hh>

#include "systems.h"

namespace hector::naming {

namespace {

constexpr CORBA::ULong kPageNames = 1'000;       ///< of one answer of the other system
constexpr CORBA::ULong kAnswerWithinMs = 5'000;  ///< of one call to the other system

/// "id.kind", INS 2.4.3: '\' before '.', '/' and '\' of the parts themselves.
CosNaming::NameComponent component_of(const std::string& text) {
  std::string id;
  std::string kind;
  std::string* part = &id;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      *part += text[++i];
    else if (text[i] == '.' && part == &id)
      part = &kind;
    else
      *part += text[i];
  }
  CosNaming::NameComponent component;
  component.id = CORBA::string_dup(id.c_str());
  component.kind = CORBA::string_dup(kind.c_str());
  return component;
}
std::string text_of(const CosNaming::NameComponent& component) {
  const auto escaped = [](const char* part) {
    std::string text;
    for (; *part != 0; ++part) {
      if (*part == '.' || *part == '/' || *part == '\\') text += '\\';
      text += *part;
    }
    return text;
  };
  const std::string kind = escaped(component.kind);
  const std::string id = escaped(component.id);
  return kind.empty() && !id.empty() ? id : id + "." + kind;
}
CosNaming::Name name_of(const Components& name) {
  CosNaming::Name made;
  for (const auto& each : name) {
    if (each.empty() && name.size() == made.length() + 1) break;
    made.length(made.length() + 1);
    made[made.length() - 1] = component_of(each);
  }
  return made;
}

class CosNamingSystem final : public NamingSystem {
 public:
  CosNamingSystem(CORBA::ORB_var orb, std::string url)
      : orb_(std::move(orb)), url_(std::move(url)) {}

  Result<v1::NamingBinding> lookup(const Components& name) override {
    if (name.size() == 1 && name[0].empty()) return context_binding();
    return run<v1::NamingBinding>(name, [&]() -> Result<v1::NamingBinding> {
      const CORBA::Object_var found = root()->resolve(name_of(name));
      v1::NamingBinding binding;
      const CosNaming::NamingContext_var context = context_of(found);
      binding.set_type(CORBA::is_nil(context) ? "corba.object" : "corba.context");
      auto& address = *binding.add_addresses();
      address.set_type("corba.ior");
      const CORBA::String_var ior = orb_->object_to_string(found);
      address.set_data(ior.in());
      return binding;
    });
  }
  Result<std::vector<v1::NamingBinding>> list(const Components& name) override {
    return run<std::vector<v1::NamingBinding>>(
        name, [&]() -> Result<std::vector<v1::NamingBinding>> {
          CosNaming::NamingContext_var context = root();
          if (!is_root(name)) {
            const CORBA::Object_var found = context->resolve(name_of(name));
            context = context_of(found);
            if (CORBA::is_nil(context))
              return refuse_name("NOT_A_CONTEXT", name, name.size(), "it is bound to an object");
          }
          std::vector<v1::NamingBinding> all;
          const auto take = [&](const CosNaming::BindingList& some) {
            for (CORBA::ULong i = 0; i < some.length(); ++i) {
              all.emplace_back().set_name(print_name({text_of(some[i].binding_name[0])}));
              all.back().set_type(some[i].binding_type == CosNaming::ncontext ? "corba.context"
                                                                              : "corba.object");
            }
          };
          CosNaming::BindingList_var some;
          CosNaming::BindingIterator_var iterator;
          context->list(kPageNames, some.out(), iterator.out());
          take(some.in());
          while (!CORBA::is_nil(iterator)) {
            const bool is_more = iterator->next_n(kPageNames, some.out());
            take(some.in());
            if (is_more) continue;
            iterator->destroy();
            break;
          }
          std::sort(all.begin(), all.end(),
                    [](const auto& a, const auto& b) { return a.name() < b.name(); });
          return all;
        });
  }
  Status bind(const Components& name, const v1::NamingBind& request) override {
    if (request.addresses_size() != 1 || request.addresses(0).type() != "corba.ior") {
      return refuse_name("OPERATION_NOT_SUPPORTED", name, 0,
                         "CosNaming binds names to CORBA objects: one address of type corba.ior, "
                         "an IOR or a corbaloc");
    }
    return done(name, [&] {
      const CORBA::Object_var object = orb_->string_to_object(request.addresses(0).data().c_str());
      if (request.exclusive())
        root()->bind(name_of(name), object);
      else
        root()->rebind(name_of(name), object);
    });
  }
  /// CosNaming refuses where nothing is bound; XFN does not.
  Status unbind(const Components& name) override {
    auto gone = done(name, [&] { root()->unbind(name_of(name)); });
    const auto status = gone ? std::nullopt : status_of(gone.error());
    if (!status || status->code() != "NAME_NOT_FOUND") return gone;
    const auto rest = parse_name(status->remaining_name());  // the other system's words
    if (rest && rest->size() == 1) return {};
    return gone;
  }
  Status make_context(const Components& name) override {
    return done(name, [&] {
      const CosNaming::NamingContext_var made = root()->bind_new_context(name_of(name));
    });
  }
  Status destroy_context(const Components& name) override {
    return done(name, [&] {
      const CORBA::Object_var found = root()->resolve(name_of(name));
      const CosNaming::NamingContext_var context = context_of(found);
      if (CORBA::is_nil(context))
        throw CosNaming::NamingContext::NotFound(CosNaming::NamingContext::not_context,
                                                 name_of(name));
      context->destroy();
      root()->unbind(name_of(name));
    });
  }
  v1::NamingSyntax syntax() const override {
    v1::NamingSyntax syntax;
    syntax.set_direction("left_to_right");
    syntax.set_separator("/");
    syntax.set_escape("\\");
    return syntax;
  }

 private:
  /// Nil where it is none; an object that does not answer is bound all the same.
  static CosNaming::NamingContext_var context_of(const CORBA::Object_var& object) {
    try {
      return CosNaming::NamingContext::_narrow(object);
    } catch (const CORBA::SystemException&) {
      return CosNaming::NamingContext::_nil();
    }
  }
  static v1::NamingBinding context_binding() {
    v1::NamingBinding binding;
    binding.set_type("corba.context");
    return binding;
  }
  CosNaming::NamingContext_var root() {
    const std::lock_guard lock(mutex_);
    if (CORBA::is_nil(root_)) {
      const CORBA::Object_var object = orb_->string_to_object(url_.c_str());
      omniORB::setClientCallTimeout(object, kAnswerWithinMs);
      root_ = CosNaming::NamingContext::_narrow(object);
      if (CORBA::is_nil(root_)) throw CORBA::INV_OBJREF();
      omniORB::setClientCallTimeout(root_, kAnswerWithinMs);
    }
    return root_;
  }
  /// CosNaming's exceptions as XFN's codes: what is left of the name begins with what was not
  /// found; what is no context has been resolved.
  template <class Value, class Work>
  Result<Value> run(const Components& name, Work work) {
    try {
      return work();
    } catch (const CosNaming::NamingContext::NotFound& failed) {
      const std::size_t left = std::min<std::size_t>(name.size(), failed.rest_of_name.length());
      const std::size_t at = name.size() - left;
      if (failed.why == CosNaming::NamingContext::missing_node)
        return refuse_name("NAME_NOT_FOUND", name, at, "nothing is bound to it");
      if (failed.why == CosNaming::NamingContext::not_context)
        return refuse_name("NOT_A_CONTEXT", name, std::min(name.size(), at + 1),
                           "it is bound to an object, not to a context");
      return refuse_name("NAME_IN_USE", name, at, "it is bound to a context, not to an object");
    } catch (const CosNaming::NamingContext::InvalidName&) {
      return refuse_name("ILLEGAL_NAME", name, 0, "CosNaming takes no empty name");
    } catch (const CosNaming::NamingContext::AlreadyBound&) {
      return refuse_name("NAME_IN_USE", name, name.empty() ? 0 : name.size() - 1, "it is bound");
    } catch (const CosNaming::NamingContext::NotEmpty&) {
      return refuse_name("CTX_NOT_EMPTY", name, name.size(), "names are bound in it");
    } catch (const CosNaming::NamingContext::CannotProceed&) {
      return refuse_name("CTX_UNAVAILABLE", name, 0, "its naming service cannot proceed");
    } catch (const CORBA::Exception& failed) {
      const std::lock_guard lock(mutex_);
      root_ = CosNaming::NamingContext::_nil();  // it may be another one when it comes back
      return refuse_name("CTX_UNAVAILABLE", name, 0,
                         fmt::format("'{}' does not answer: CORBA::{}", url_, failed._name()));
    }
  }
  template <class Work>
  Status done(const Components& name, Work work) {
    return run<int>(name,
                    [&]() -> Result<int> {
                      work();
                      return 0;
                    })
        .map([](int) {});
  }

  CORBA::ORB_var orb_;
  const std::string url_;
  std::mutex mutex_;
  CosNaming::NamingContext_var root_;
};

}  // namespace

}  // namespace hector::naming

extern "C" __attribute__((visibility("default"))) hector::naming::NamingSystem*
hector_make_cos_naming(const std::string* url, std::string* why) {
  try {
    int count = 0;
    // Nothing is served and nothing is read from the environment's omniORB.cfg that would make it
    // listen.
    const char* options[][2] = {{"clientCallTimeOutPeriod", "5000"},
                                {"clientConnectTimeOutPeriod", "2000"},
                                {"traceLevel", "0"},
                                {nullptr, nullptr}};
    CORBA::ORB_var orb = CORBA::ORB_init(count, nullptr, "omniORB4", options);
    return new hector::naming::CosNamingSystem(std::move(orb), *url);
  } catch (const CORBA::Exception& failed) {
    *why = std::string("CORBA::") + failed._name();
    return nullptr;
  }
}
