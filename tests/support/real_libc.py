"""Let the libc of this machine look a name up, and write down which queries leave. Run as root, by `measure`.

The script half runs in network, mount and UTS namespaces of its own: files of the case in a folder mounted over /etc,
the case's servers on the loopback interface of the new namespace. Nothing outside is asked.
"""

import fcntl
import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lookup_cases import Case, Says, Script, read_case

TYPES = {1: "A", 5: "CNAME", 12: "PTR", 28: "AAAA"}
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
SO_TIMESTAMPNS = 35
ETH_P_IP = 0x0800
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
CLIENT = """
import socket, sys
name, types = sys.argv[1], sys.argv[2:]
errors = {getattr(socket, each): each for each in dir(socket) if each.startswith("EAI_")}
try:
    if types == ["PTR"]:
        socket.gethostbyaddr(name)
    else:
        family = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}[types[0]] if len(types) == 1 else socket.AF_UNSPEC
        socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
except socket.gaierror as error:
    print(errors.get(error.errno, error.errno))
except socket.herror as error:
    print("EAI_NONAME" if error.errno == 1 else error)
"""
MUSL_CLIENT = r"""
#include <netdb.h>
#include <stdio.h>
#include <string.h>
int main(int count, char **words) {
    struct addrinfo hints = { .ai_socktype = 1 }, *found;
    hints.ai_family = count > 3 ? 0 : strcmp(words[2], "A") ? 10 : 2;
    switch (getaddrinfo(words[1], 0, &hints, &found)) {
    case 0: break;
    case EAI_NONAME: puts("EAI_NONAME"); break;
    case EAI_AGAIN: puts("EAI_AGAIN"); break;
    case -5: puts("EAI_NODATA"); break;
    default: puts("other");
    }
    return 0;
}
"""


def measure(path: Path, client: list[str]) -> dict[str, Any]:
    """Return `queries`, `over_s` and `error` as in the case files."""
    command = ["unshare", "--net", "--mount", "--uts", sys.executable, __file__, str(path), json.dumps(client)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=90)
    return dict(json.loads(done.stdout))


def build_musl_client(folder: Path, compiler: tuple[str, ...] = ("musl-gcc",)) -> list[str]:
    """Compile the program that asks by musl's rules; raises OSError where there is no such compiler."""
    source = folder / "lookup.c"
    source.write_text(MUSL_CLIENT)
    subprocess.run([*compiler, "-static", "-o", str(folder / "lookup"), str(source)], check=True, capture_output=True)
    return [str(folder / "lookup")]


class Servers:
    """The servers of the case, and all they were asked."""

    def __init__(self, case: Case, addresses: list[str]) -> None:
        self.script = Script(case.rules)
        self.selector = selectors.DefaultSelector()
        self.seen: list[tuple[int, str, str, str, str, int]] = []
        self.later: list[tuple[float, socket.socket, bytes, tuple[str, int] | None]] = []
        for address in addresses:
            for kind in () if address in case.refused else (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                sock = socket.socket(socket.AF_INET, kind)
                sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                sock.bind((address, 53))
                if kind == socket.SOCK_STREAM:
                    sock.listen()
                self.selector.register(sock, selectors.EVENT_READ, (address, kind == socket.SOCK_STREAM))
        self.refused = case.refused
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self.wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.wire.bind(("lo", ETH_P_IP))
        self.selector.register(self.wire, selectors.EVENT_READ, None)

    def serve(self, client: subprocess.Popen[str]) -> None:
        """Answer until the client has gone and all is read."""
        while client.poll() is None:
            self._read_all(0.02)
            now = time.monotonic()
            for each in [each for each in self.later if each[0] <= now]:
                self.later.remove(each)
                self._reply(*each[1:])
        while self._read_all(0):
            continue

    def _read_all(self, timeout_s: float) -> bool:
        ready = self.selector.select(timeout_s)
        for key, _ in ready:
            if key.data is None:
                self._look()
            else:
                self._read(key.fileobj, key.data[0], stream=key.data[1])
        return bool(ready)

    def _look(self) -> None:
        """Note what is sent over UDP to a server that is not there (RFC 791, 3.1; RFC 768)."""
        data, control, *_ = self.wire.recvmsg(65_536, 256)
        start = (data[0] & 0x0F) * 4
        source_port, port = struct.unpack_from("!HH", data, start)
        address = socket.inet_ntoa(data[16:20])
        if data[9] == socket.IPPROTO_UDP and port == 53 and address in self.refused:
            self._note(_stamp(control), data[start + 8 :], address, "udp", source_port)

    def _read(self, sock: Any, address: str, *, stream: bool) -> None:
        if stream and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            connection, _ = sock.accept()
            self.selector.register(connection, selectors.EVENT_READ, (address, True))
        elif stream:
            self._read_stream(sock, address)
        else:
            data, control, _, sender = sock.recvmsg(65_536, 256)
            rule = self._note(_stamp(control), data, address, "udp", sender[1])
            self._answer(rule, sock, data, sender)

    def _read_stream(self, sock: socket.socket, address: str) -> None:
        at_ns, data = time.time_ns(), sock.recv(65_536)
        rules = []
        while data:
            length = struct.unpack_from("!H", data)[0]
            message, data = data[2 : 2 + length], data[2 + length :]
            rule = self._note(at_ns, message, address, "tcp", sock.getpeername()[1])
            rules.append(rule.reply)
            self._answer(rule, sock, message, None)
        if "reset" in rules:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if not rules or "reset" in rules:
            self.selector.unregister(sock)
            sock.close()

    def _note(self, at_ns: int, data: bytes, address: str, transport: str, port: int) -> Says:
        """Write a query down, and return what is to be said."""
        kind, name, _ = question_of(data)
        self.seen.append((at_ns, address, transport, kind, name, port))
        return self.script.answer(address, transport, kind, name)

    def _answer(self, rule: Says, sock: socket.socket, data: bytes, sender: tuple[str, int] | None) -> None:
        if rule.reply not in {"silence", "reset"}:
            message = reply(data[: question_of(data)[2]], rule)
            self.later.append((time.monotonic() + rule.after_s, sock, message, sender))

    def _reply(self, sock: socket.socket, message: bytes, sender: tuple[str, int] | None) -> None:
        try:
            if sender is None:
                sock.sendall(struct.pack("!H", len(message)) + message)
            else:
                sock.sendto(message, sender)
        except OSError:
            return


def question_of(data: bytes) -> tuple[str, str, int]:
    """Return the type and the name of a query, and where its question ends."""
    labels, place = [], 12
    while data[place]:
        labels.append(data[place + 1 : place + 1 + data[place]].decode())
        place += 1 + data[place]
    return TYPES[struct.unpack_from("!H", data, place + 1)[0]], ".".join(labels), place + 5


def _stamp(control: list[tuple[int, int, bytes]]) -> int:
    seconds, nanoseconds = struct.unpack("=qq", control[0][2])
    return int(seconds * 10**9 + nanoseconds)


def reply(question: bytes, rule: Says) -> bytes:
    """Build the answer to a question (RFC 1035, 4.1)."""
    flags = 0x8100 | (0x80 if rule.recursive else 0) | (0x200 if rule.reply == "truncated" else 0)
    flags |= RCODES.get(rule.reply, 0)
    body = b"".join(record(each) for each in rule.answers)
    return question[:2] + struct.pack("!5H", flags, 1, len(rule.answers), 0, 0) + question[12:] + body


def record(text: str) -> bytes:
    """Build a record for the name of the question."""
    kind, value = text.split()
    if kind == "A":
        data = socket.inet_aton(value)
    elif kind == "AAAA":
        data = socket.inet_pton(socket.AF_INET6, value)
    else:
        data = b"".join(bytes([len(each)]) + each.encode() for each in value.split(".")) + b"\0"
    number = next(number for number, name in TYPES.items() if name == kind)
    return struct.pack("!HHHIH", 0xC00C, number, 1, 60, len(data)) + data


def _prepare(case: Case, etc: Path) -> None:
    (etc / "resolv.conf").write_text(case.resolv_conf)
    (etc / "hosts").write_text(case.hosts)
    if case.nsswitch is not None:
        (etc / "nsswitch.conf").write_text(case.nsswitch)
    if Path("/etc/ld.so.cache").exists():
        (etc / "ld.so.cache").write_bytes(Path("/etc/ld.so.cache").read_bytes())
    subprocess.run(["mount", "--bind", str(etc), "/etc"], check=True)
    socket.sethostname(case.hostname)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def _main(path: Path, client: list[str]) -> None:
    case = read_case(path)
    with TemporaryDirectory() as folder:
        _prepare(case, Path(folder))
        lines = [line.split() for line in case.resolv_conf.splitlines()]
        addresses = [words[1] for words in lines if words[:1] == ["nameserver"]] or ["127.0.0.1"]
        servers = Servers(case, list(dict.fromkeys(addresses)))
        environment = {name: value for name, value in os.environ.items() if name not in {"RES_OPTIONS", "LOCALDOMAIN"}}
        words = [*client, case.wanted, *case.types]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
            servers.serve(process)
            over_ns = time.time_ns()
            said = process.stdout.read() if process.stdout else ""
        subprocess.run(["umount", "-l", "/etc"], check=True)
    seen = sorted(servers.seen, key=lambda each: each[0])
    sockets: dict[Any, int] = {}
    queries = [
        [round((at - seen[0][0]) / 1e9, 2), *rest, sockets.setdefault((rest[1], port), len(sockets) + 1)]
        for at, *rest, port in seen
    ]
    over_s = round((over_ns - seen[0][0]) / 1e9, 1) if seen else 0.0
    print(json.dumps({"queries": queries, "over_s": over_s, "error": said.strip()}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), json.loads(sys.argv[2]))
