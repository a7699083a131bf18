"""Calls a Hector Object with unmodified grpcio: `python grpc_client.py HOST:PORT`.

What: a client of another project; reflection gives it the types.
Why: no generated code and nothing of ours is needed.
Who: readers of the README; docs_test and meeting_test.
"""

import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

channel = grpc.insecure_channel(sys.argv[1])
database = ProtoReflectionDescriptorDatabase(channel)
print("services:", ", ".join(database.get_services()))
pool = DescriptorPool(database)
Range, Slots = (
    GetMessageClass(pool.FindMessageTypeByName(f"diary.{name}")) for name in ("Range", "Slots")
)
free_slots = channel.unary_unary(
    "/diary.Calendar/free_slots", Range.SerializeToString, Slots.FromString
)
print(
    free_slots(
        Range(start_s=1795478400, end_s=1795564800), metadata=[("hector-object", sys.argv[2])]
    )
)
