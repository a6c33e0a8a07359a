"""Name the numbers of DNS: types and response codes (IANA, Domain Name System Parameters)."""

A = 1
NS = 2
CNAME = 5
SOA = 6
PTR = 12
MX = 15
TXT = 16
AAAA = 28
SRV = 33
DNAME = 39
OPT = 41

_TYPES = {
    A: "A",
    NS: "NS",
    CNAME: "CNAME",
    SOA: "SOA",
    PTR: "PTR",
    13: "HINFO",
    MX: "MX",
    TXT: "TXT",
    AAAA: "AAAA",
    29: "LOC",
    SRV: "SRV",
    35: "NAPTR",
    DNAME: "DNAME",
    OPT: "OPT",
    43: "DS",
    44: "SSHFP",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    50: "NSEC3",
    51: "NSEC3PARAM",
    52: "TLSA",
    64: "SVCB",
    65: "HTTPS",
    250: "TSIG",
    251: "IXFR",
    252: "AXFR",
    255: "ANY",
    257: "CAA",
}
_RCODES = (
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
)
_MAX_NUMBER = 0xFFFF
_MAX_DIGITS = 5


def type_name(number: int) -> str:
    """Name a type, as `TYPE65280` where it has no name here (RFC 3597, 5)."""
    return _TYPES.get(number, f"TYPE{number}")


def type_number(name: str) -> int | None:
    """Return the number of a type that a user named, in any case; None where there is no such type."""
    wanted = name.upper()
    for number, known in _TYPES.items():
        if known == wanted:
            return number
    digits = wanted.removeprefix("TYPE")
    if digits == wanted or not (digits.isascii() and digits.isdigit()) or len(digits) > _MAX_DIGITS:
        return None
    return int(digits) if int(digits) <= _MAX_NUMBER else None


def rcode_name(number: int) -> str:
    """Name a response code (RFC 1035, 4.1.1; RFC 2136, 2.2), as `RCODE11` where it has no name here."""
    return _RCODES[number] if number < len(_RCODES) else f"RCODE{number}"
