"""Other words for names, identifiers and addresses, alike wherever they stand: in a field, a sentence or a rule.

1. A name is replaced label by label, each by one of the same length, so that a DNS message keeps its lengths, a name
   within a network its ending, and a table its columns. Case stays where it was.
2. What everybody's machine is called stays: the usual interfaces, networks, chains, top-level domains, `host`. So do
   names of one or two letters, and words that our own sentences are made of.
3. An identifier becomes another of its length; the start of one becomes the start of the other, in `br-...` too.
4. What a person wrote for persons, the comment of a rule or of a file, is left out.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_interface, ip_network

from inspector.withhold.addresses import Addresses

SHORTEST = 3
_STAYS = re.compile(
    r"""
    host | localhost | bridge | none | default | ingress | docker_gwbridge | gateway | ip6-localhost | ip6-loopback
    | ip6-localnet | ip6-mcastprefix | ip6-allnodes | ip6-allrouters | localdomain | local | internal | lan | home |
    arpa | in-addr | ip6 | com | org | net | dev | test | example | invalid | overlay | podman | docker | filter |
    nat | raw | mangle | security | firewalld | inet | netdev | arp | accept | drop | reject | return | jump | goto
    | queue | continue | input | output | forward | prerouting | postrouting | tcp | udp | icmp | icmpv6 | ipv4 |
    ipv6 | ether | meta | counter | comment | log | limit | state | conntrack | table | chain | rule | rules | from
    | all | lookup | main | unicast | broadcast | sent | asked | answered | for | and | the | not | our | was | were
    | gone | with | socket | probes | traced | promiscuous | mode | ended | sockets | queries | query | requests |
    request | echo | its | that | this | name | names | address
    """,
    re.VERBOSE | re.IGNORECASE,
)
_USUAL = re.compile(
    r"lo|(eth|wlan|docker|podman|cni-podman|ifb|dummy|tunl|sit|gre|gretap|erspan|ip6tnl|wg|tun|tap)\d+|cni0|"
    r"en(o\d+|s\d+|p\d+s\d+(f\d+)?)(np\d+)?|vxlan\d+"
)
_CHAINS = re.compile(
    r"PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING|(DOCKER|docker|ufw6?|KUBE|LIBVIRT|CNI|NETAVARK|nv)[-_A-Za-z0-9]*|"
    r"((IN|FWD[IO]?|PRE|POST)_(public|docker|trusted|block|dmz|drop|external|home|internal|work)(_\w+)?)|"
    r"(INPUT|FORWARD|OUTPUT|P\w+ROUTING)_(direct|(IN_|OUT_)?ZONES|POLICIES)(_\w+)?"
)
_TARGETS = re.compile(
    "AUDIT|CHECKSUM|CLASSIFY|CLUSTERIP|CONNMARK|CONNSECMARK|CT|DNAT|DNPT|DSCP|ECN|HL|HMARK|IDLETIMER|LED|LOG|MARK|"
    "MASQUERADE|NETMAP|NFLOG|NFQUEUE|NOTRACK|RATEEST|REDIRECT|SECMARK|SET|SNAT|SNPT|SYNPROXY|TCPMSS|TCPOPTSTRIP|TEE|"
    "TOS|TPROXY|TRACE|TTL|ULOG|dnat|snat|masquerade|redirect"
)
"""What a rule may do, beside verdicts: iptables-extensions(8), nft(8)."""
_ID = re.compile(r"[0-9a-f]{10,64}|[0-9A-F]{10,64}")
_PATTERN = (
    r"(?P<reverse>(?<![\w.-])(?:\d{1,3}\.){4}in-addr\.arpa|(?<![\w.-])(?:[0-9a-fA-F]\.){32}ip6\.arpa)"
    r"|(?P<mac>(?<![\w:])[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?![\w:]))"
    r"|(?P<address>(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F.]*(?:/\d+)?(?![\w:])"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,3}(?:\.\d{1,3}){3}|/\d+)?(?![\w]|\.\d))"
    r"|(?P<id>(?<![0-9a-zA-Z])(?=[0-9a-fA-F]*[a-fA-F])(?:[0-9a-f]{10,64}|[0-9A-F]{10,64})(?![0-9a-zA-Z]))"
)
PREFIX = re.compile(r"(?<![\w.:])(?:[0-9a-fA-F:]*:[0-9a-fA-F:.]*|\d{1,3}(?:\.\d{1,3}){3})/\d+(?!\w)")
_COMMENT = re.compile(
    r"(?P<word>--comment|--log-prefix|--nflog-prefix|--string|(?<!-m )(?<![-\w])comment|\blog prefix) "
    r"(?P<said>\"(?:[^\"\\]|\\.)*\"|'[^']*'|\S+)"
)
_TRIES = 255
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Words:
    """Says the other word. `names` are the names of a recording, `interfaces` those of its links, `ids` whole ones."""

    def __init__(
        self, salt: bytes, addresses: Addresses, names: Iterable[str], interfaces: Iterable[str], ids: Iterable[str]
    ) -> None:
        """Learn which words are names here."""
        self._salt = salt
        self._addresses = addresses
        self._ids = tuple(each.lower() for each in ids)
        self._labels: dict[str, str] = {}
        self._interfaces = {each for each in interfaces if not _USUAL.fullmatch(each)}
        self._known = {label for name in names for label in re.split(r"[.\s/:]", name) if self._tells(label)}
        self._reserved = {each.lower() for each in (*self._known, *self._interfaces)}
        known = sorted((*self._known, *self._interfaces), key=lambda each: (-len(each), each))
        word = "|".join(map(re.escape, known))
        self._pattern = re.compile(_PATTERN + (rf"|(?P<name>(?<![\w-])(?:{word})(?![\w-]))" if word else ""))

    def text(self, text: str) -> str:
        """Return a sentence, a rule or a name with each word that tells something replaced."""
        return self._pattern.sub(self._other, _COMMENT.sub(lambda each: f'{each["word"]} "redacted"', text))

    def label(self, raw: bytes) -> bytes:
        """Return the other label of a DNS name, of the same length."""
        try:
            name = raw.decode("ascii")
        except UnicodeDecodeError:
            return bytes(0x78 if each > 0x7F else each for each in raw)  # noqa: PLR2004 - ASCII ends there
        return self._same_length(name).encode() if self._tells(name) else raw

    def identifier(self, text: str) -> str:
        """Return the other identifier, of the same length; the start of one is the start of its other."""
        low = text.lower()
        whole = next((each for each in self._ids if each.startswith(low)), low)
        ahead = self._digest(b"id", whole[:12].encode())
        other = (ahead[:12] + self._digest(b"rest", whole.encode()) + ahead)[: len(low)]
        return other.upper() if text.isupper() else other

    def _tells(self, label: str) -> bool:
        return len(label) >= SHORTEST and not _STAYS.fullmatch(label) and not label.isdigit() and not _stays(label)

    def _other(self, found: "re.Match[str]") -> str:
        text = found[0]
        match found.lastgroup:
            case "reverse":
                return self._reverse(text)
            case "mac":
                return self._addresses.mac(bytes.fromhex(text.replace(":", ""))).hex(":")
            case "address":
                return self._address(text)
            case "id":
                return self.identifier(text)
        return self._interface(text) if text in self._interfaces else self._same_length(text)

    def _address(self, text: str) -> str:
        try:
            if "/" not in text:
                return str(self._addresses.address(ip_address(text)))
            address, _, mask = text.partition("/")
            network = ip_network(text, strict=False)
            if ip_address(address) == network.network_address and network.prefixlen < network.max_prefixlen:
                return f"{self._addresses.network(network).network_address}/{mask}"
            return f"{self._addresses.address(ip_interface(text).ip)}/{mask}"
        except ValueError:
            return text

    def _reverse(self, text: str) -> str:
        labels = text.lower().split(".")[:-2][::-1]
        try:
            address = ip_address(".".join(labels)) if "in-addr" in text.lower() else _nibbles(labels)
        except ValueError:
            return text
        return self._addresses.address(address).reverse_pointer

    def _interface(self, name: str) -> str:
        prefix, dash, rest = name.partition("-")
        if prefix == "br" and dash and _ID.fullmatch(rest):
            return f"br-{self.identifier(rest)}"
        if name.startswith("veth") and re.fullmatch(r"[0-9a-f]+", name[4:]):
            return "veth" + self._digest(b"veth", name.encode())[: len(name) - 4]
        return self._same_length(name)

    def _same_length(self, name: str) -> str:
        # A few capital letters become two small ones.
        low = name.lower() if len(name.lower()) == len(name) else name
        if (start := next((each for each in self._ids if each.startswith(low)), None)) is not None and _hex(low):
            return self.identifier(start)[: len(name)]
        if low not in self._labels:
            self._labels[low] = self._deal(low)
        other = self._labels[low]
        return "".join(new.upper() if old.isupper() else new for old, new in zip(name, other, strict=True))

    def _deal(self, low: str) -> str:
        """Choose letters of the salt's, the same shape: digits and marks stay where they are."""
        taken = set(self._labels.values()) | self._reserved | {low}
        drawn = (self._drawn(low, attempt) for attempt in range(_TRIES))
        return next(
            (each for each in drawn if each not in taken and not _stays(each) and not _STAYS.fullmatch(each)),
            self._drawn(low, _TRIES),
        )

    def _drawn(self, low: str, attempt: int) -> str:
        digest = blake2b(low.encode() + b"\0" + bytes((attempt,)), key=self._salt, digest_size=64).digest()
        pairs = zip(low, (digest * (1 + len(low) // len(digest))), strict=False)
        return "".join(
            _LETTERS[by % 26] if old.isalpha() else str(by % 10) if old.isdigit() else old for old, by in pairs
        )

    def _digest(self, kind: bytes, word: bytes) -> str:
        return blake2b(kind + b"\0" + word, key=self._salt, digest_size=32).hexdigest()


def _stays(name: str) -> bool:
    return bool(_TARGETS.fullmatch(name) or _USUAL.fullmatch(name) or _CHAINS.fullmatch(name))


def _hex(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]+", text) is not None


def _nibbles(labels: list[str]) -> IPv6Address:
    return IPv6Address(int("".join(labels), 16))
