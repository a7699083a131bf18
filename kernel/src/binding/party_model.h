// What: the messages PreparePart and Replace, read into what a party is planned with.
// Why: PreparePart is how capsules say it to each other; the kernel works with PartySpec.
// Who: the coordinator.
#pragma once

#include "hector/kernel/v1/kernel.pb.h"
#include "party/party_spec.h"

namespace hector {

PartySpec from_model(const hector::kernel::v1::PreparePart& model);
Replacement from_model(const hector::kernel::v1::Replace& model);

}  // namespace hector
