"""What a capture comes to: each thing counted once, and nothing that went well among the troubles."""

from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether

from captures import MS, A, B, ip, told

WEB, DB = "10.0.0.2", "10.0.0.3"


def segment(port: int, flags: str, sequence: int = 0, data: bytes = b"", *, back: bool = False) -> Ether:
    ends, ports = ((DB, WEB), (80, port)) if back else ((WEB, DB), (port, 80))
    header = TCP(sport=ports[0], dport=ports[1], flags=flags, seq=sequence)
    return ip(*ends, id=port + sequence + (100 if back else 0)) / header / data


def test_each_kind_of_trouble_is_counted() -> None:
    asked = ip(WEB, DB) / UDP(sport=5000, dport=53) / DNS(id=1, qd=[DNSQR(qname="a.test")])
    again = ip(WEB, DB) / UDP(sport=5001, dport=53) / DNS(id=2, qd=[DNSQR(qname="b.test")])
    nowhere = ip(DB, WEB) / UDP(sport=53, dport=5001) / DNS(id=2, qr=1, rcode=3, qd=[DNSQR(qname="b.test")])
    lost = ip(WEB, DB, id=77) / UDP(sport=9, dport=9)
    question = Ether(src=A, dst=B) / ARP(op=1, hwsrc=A, psrc=WEB, pdst="10.0.0.9")
    frames = [
        segment(1, "S"), segment(1, "RA", back=True),
        segment(2, "S"),
        segment(3, "S"), segment(3, "SA", back=True), segment(3, "PA", 1, b"data"),
        ip(WEB, DB, id=501) / TCP(sport=3, dport=80, flags="PA", seq=1) / b"data",
        segment(3, "R", back=True),
        asked, again, nowhere,
        ip("10.0.0.1", WEB) / ICMP(type=11, code=0) / lost[IP],
        ip(WEB, DB) / ICMP(type=8, id=1, seq=1),
        question,
    ]  # fmt: skip
    report = told(*(("a", each * MS, frame) for each, frame in enumerate(frames)))
    assert report.troubles == (
        "1 of 3 TCP connections refused",
        "1 of 3 TCP connections unanswered",
        "1 TCP connection reset",
        "1 of 1 echo requests unanswered",
        "1 of 2 DNS questions unanswered",
        "1 DNS answer NXDOMAIN",
        "1 of 1 ARP or ND questions unanswered",
        "1 ICMP error",
        "1 TCP segment sent again",
    )
    assert report.well == ("1 TCP connection opened", "1 DNS question answered")


def test_a_silent_file_has_neither() -> None:
    report = told(("a", 0, ip(WEB, DB) / UDP(sport=9, dport=9)))
    assert (report.troubles, report.well) == ((), ())
