"""The names that libhector.so exports, held to the public headers.

What: each exported name is declared in an installed header, each C function of hector.h is
exported, and no plugin or program needs a name that no library has.
Why: the inside of the kernel may change without notice only where nothing outside can reach it.
Who: ctest.
"""

import glob
import os
import re
import subprocess
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
HEADERS = os.path.join(ROOT, "kernel", "include", "hector")
ABOUT_A_CLASS = re.compile(r"^(vtable|typeinfo|typeinfo name) for ")
# Names of the linker and of the compiler's instrumentation.
OTHERS = re.compile(r"^(_init|_fini|__bss_start|_edata|_end|__\w*san\w*|__gcov\w*|hector_.*)$")
# hector/message_files.h says why.
IN_FRONT_OF_PROTOBUF = re.compile(
    r"google::protobuf::(DescriptorPool::InternalAddGeneratedFile|"
    r"MessageFactory::InternalRegisterGeneratedFile|internal::ExtensionSet::Register)"
)


def names(option, library):
    done = subprocess.run(
        ["nm", "-D", "--demangle", option, library], capture_output=True, text=True, check=True
    )
    return {line[19:] for line in done.stdout.splitlines()}


def text_of_headers():
    texts = []
    for path in glob.glob(os.path.join(HEADERS, "**", "*.h"), recursive=True):
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return "\n".join(texts)


class Exports(unittest.TestCase):
    library = os.path.join(BUILD, "lib", "libhector.so")

    def test_each_exported_name_is_declared_in_a_public_header(self):
        headers = text_of_headers()
        exported = names("--defined-only", self.library)
        for name in sorted(exported):
            if OTHERS.match(name) or IN_FRONT_OF_PROTOBUF.match(name):
                continue
            plain = ABOUT_A_CLASS.sub("", name)
            found = re.match(r"hector::(\w+)(::|\(|\[|$)", plain)
            self.assertTrue(found, f"libhector.so exports '{name}', which is no name of hector")
            owner = found.group(1)
            declared = re.search(rf"\b(class|struct) {owner}\b|\b{owner}\(", headers)
            self.assertTrue(declared, f"libhector.so exports '{name}', which no header declares")

    def test_each_c_function_is_exported(self):
        with open(os.path.join(HEADERS, "hector.h"), encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        declared = set(re.findall(r"^[a-z].*?\b(hector_\w+)\([^*]", text, flags=re.M))
        exported = names("--defined-only", self.library)
        self.assertGreater(len(declared), 40)
        self.assertEqual(sorted(declared - exported), [], "declared in hector.h, not exported")
        c_names = {name for name in exported if name.startswith("hector_")}
        self.assertEqual(sorted(c_names - declared), [], "exported, not declared in hector.h")

    def test_one_include_path_is_enough_for_the_contract(self):
        headers = glob.glob(os.path.join(HEADERS, "**", "*.h"), recursive=True)
        self.assertGreater(len(headers), 25)
        program = "".join(
            f'#include "hector/{os.path.relpath(path, HEADERS)}"\n' for path in headers
        )
        done = subprocess.run(
            ["g++", "-std=c++20", "-fsyntax-only", "-I", os.path.dirname(HEADERS), "-xc++", "-"],
            input=program,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(done.stderr, "")

    def test_what_plugins_and_programs_need_is_exported(self):
        libraries = glob.glob(os.path.join(BUILD, "lib", "libhector*.so"))
        defined = set().union(*(names("--defined-only", library) for library in libraries))
        users = glob.glob(os.path.join(BUILD, "lib", "hector", "**", "*.so"), recursive=True)
        users.append(os.path.join(BUILD, "bin", "hector"))
        for user in users:
            needed = {
                name
                for name in names("--undefined-only", user)
                if re.match(r"((vtable|typeinfo|typeinfo name) for )?hector(::|_)", name)
            }
            siblings = glob.glob(os.path.join(os.path.dirname(user), "*.so"))
            near = set().union(*(names("--defined-only", each) for each in siblings), set())
            self.assertEqual(sorted(needed - defined - near), [], f"{user} needs names of nobody")


if __name__ == "__main__":
    unittest.main()
