"""A realm of Kerberos for a test: its KDC on loopback, in a folder of its own.

What: principals, a keytab, and GSSAPI tokens of a client that has signed in.
Why: tickets are judged as a real KDC issues them, and nothing of the machine's own is touched.
Who: authentication_test.py.
"""

import base64
import os
import subprocess

import waiting
from etcd_server import free_port

SERVER = "hector/guard"
PASSWORD = "of this test alone"
# A process of its own: libkrb5 reads its environment once.
CLIENT = """import base64, sys
import gssapi
name = gssapi.Name(sys.argv[1], gssapi.NameType.kerberos_principal)
binding = base64.b64decode(sys.argv[2])
bindings = gssapi.raw.ChannelBindings(application_data=binding) if binding else None
context = gssapi.SecurityContext(name=name, usage="initiate", channel_bindings=bindings)
print(base64.b64encode(context.step()).decode())
"""
KRB5_CONF = """[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{realm} = {{
  kdc = 127.0.0.1:{port}
}}
"""
KDC_CONF = """[kdcdefaults]
kdc_listen = 127.0.0.1:{port}
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
  database_name = {folder}/principals
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
}}
[logging]
kdc = FILE:{folder}/kdc.log
"""


class Realm:
    def __init__(self, folder, realm):
        self.folder, self.realm, self.kdc = folder, realm, None
        os.makedirs(folder)
        places = {"folder": folder, "realm": realm, "port": free_port()}
        for name, text in (("krb5.conf", KRB5_CONF), ("kdc.conf", KDC_CONF)):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text.format(**places))
        self.environment = {
            "KRB5_CONFIG": self.path("krb5.conf"),
            "KRB5_KDC_PROFILE": self.path("kdc.conf"),
            "KRB5CCNAME": "FILE:" + self.path("tickets"),
            "KRB5RCACHENAME": "file2:" + self.path("replays"),
        }
        self.run("/usr/sbin/kdb5_util", "create", "-s", "-r", realm, "-P", PASSWORD)
        self.add(SERVER)
        self.run("/usr/sbin/kadmin.local", "-q", f"ktadd -k {self.path('keytab')} {SERVER}")

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *command, text=""):
        done = subprocess.run(
            command,
            env=dict(os.environ, **self.environment),
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def add(self, principal):
        self.run("/usr/sbin/kadmin.local", "-q", f'addprinc -pw "{PASSWORD}" {principal}')

    def start(self):
        self.kdc = subprocess.Popen(
            ["/usr/sbin/krb5kdc", "-n", "-P", self.path("pid")],
            env=dict(os.environ, **self.environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        waiting.until(lambda: os.path.exists(self.path("pid")), 20, "the KDC")

    def stop(self):
        self.kdc.kill()
        self.kdc.wait()

    def sign_in(self, principal, *options):
        self.run("/usr/bin/kinit", *options, principal, text=PASSWORD + "\n")

    def token(self, server=SERVER, binding=b""):
        """GSSAPI's first token of who has signed in, for a server."""
        name = f"{server}@{self.realm}"
        bound = base64.b64encode(binding).decode()
        return base64.b64decode(self.run("/usr/bin/python3.11", "-c", CLIENT, name, bound))
