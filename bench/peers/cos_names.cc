// What: the omniNames peer: resolves a name of two parts through omniORB.
// Why: omniNames is what Naming is measured by.
// Who: bench_names; `cos_names call URL COUNT`.
#include <omniORB4/CORBA.h>

#include <omniORB4/Naming.hh>

#include "peer.h"

int main(int argc, char** argv) {
  int none = 1;
  CORBA::ORB_var orb = CORBA::ORB_init(none, argv, "omniORB4");
  CORBA::Object_var object = orb->string_to_object(argv[2]);
  CosNaming::NamingContext_var root = CosNaming::NamingContext::_narrow(object);
  CosNaming::Name lab(1);
  lab.length(1);
  lab[0].id = CORBA::string_dup("lab");
  try {
    CosNaming::NamingContext_var made = root->bind_new_context(lab);
  } catch (const CosNaming::NamingContext::AlreadyBound&) {
  }
  CosNaming::Name name(2);
  name.length(2);
  name[0].id = CORBA::string_dup("lab");
  name[1].id = CORBA::string_dup("printer");
  root->rebind(name, object);
  peer::print_p50(std::atoi(argv[3]), [&] { CORBA::Object_var found = root->resolve(name); });
  return 0;
}
