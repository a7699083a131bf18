"""gRPC's interoperability tests against an Object.

What: a C++ Object with the Interface grpc.testing.TestService, called by grpc-go's own client.
Why: the grpc protocol is gRPC for everyone else.
Who: ctest.
"""

import subprocess
import unittest

import outside
from capsules import Capsules
from needs import needs

CASES = (
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
)
CONFIGURATION = """capsule: interop
protocols:
  grpc: {listen: "127.0.0.1:0"}
languages: [cpp]
types: ["${HECTOR_PREFIX}/lib/hector/templates/interop/interop.hector.yaml"]
templates: ["${HECTOR_PREFIX}/lib/hector/templates/interop/test_service.so"]
objects: [{template: grpc.testing.TestService.cpp, name: interop}]
"""


@needs("protocols/grpc", "languages/cpp", "templates/interop")
class GrpcInterop(unittest.TestCase):
    def test_every_case_passes(self):
        client = outside.go_program(outside.INTEROP_CLIENT)
        with Capsules() as c:
            c.configure("interop", CONFIGURATION)
            host, port = c.address("interop", "grpc").split(":")
            for case in CASES:
                with self.subTest(case):
                    done = subprocess.run(
                        [client, "-server_host", host, "-server_port", port, "-test_case", case],
                        capture_output=True,
                        text=True,
                        timeout=30,
                        check=False,
                    )
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
