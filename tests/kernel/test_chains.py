"""All rules of a namespace, compared with what the tools print that made them."""

import re
import shutil
from collections.abc import Iterator

import pytest
from rule_place import Place, new_place

from inspector import netns
from inspector.model.rules import Backend, Chain, ChainKey, ChainRule, Hook
from inspector.model.topology import HOST
from inspector.netfilter.chains import list_chains, read_chains

pytestmark = pytest.mark.kernel

BY_IPTABLES = (
    "-A FORWARD -d 192.168.0.2/32 ! -i br-ddbbaba56255 -j DROP",
    "-A FORWARD -i docker0 ! -o docker0 -j OWN",
    "-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT",
    "-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
    "-A FORWARD -p tcp -m tcp --sport 1:20 ! --dport 5:9 -j DROP",
    '-A FORWARD -p udp -m udp --dport 53 -m comment --comment "two words" -j DROP',
    '-A FORWARD -m comment --comment "it\'s \\"so\\"" -j RETURN',
    "-A FORWARD -m comment --comment plain -j RETURN",
    "-A FORWARD -m mark --mark 0x1 -j DROP",
    "-A FORWARD -m mark ! --mark 0x1/0xff -j DROP",
    "-A FORWARD -m connmark --mark 0x1/0xff -j DROP",
    '-A FORWARD -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "',
    "-A FORWARD -m limit --limit 5/sec -j LOG --log-prefix x --log-level 7 --log-ip-options",
    "-A FORWARD -m limit --limit 1/hour -j ACCEPT",
    "-A FORWARD -p tcp -m multiport --dports 80,443,1000:2000 -j ACCEPT",
    "-A FORWARD -p udp -m multiport ! --ports 80,443 -j ACCEPT",
    "-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT",
    "-A FORWARD -m physdev --physdev-in eth0 ! --physdev-out eth+ -j ACCEPT",
    "-A FORWARD -j MARK --set-xmark 0x4000/0x4000",
    "-A FORWARD -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    "-A FORWARD -m statistic --mode random --probability 0.33333333349 -j OWN",
    "-A FORWARD -m statistic --mode nth --every 3 --packet 1 -j OWN",
    "-A FORWARD -p icmp -m icmp --icmp-type 8 -j REJECT --reject-with icmp-host-prohibited",
    "-A FORWARD -p icmp -m icmp --icmp-type 3/4 -j REJECT --reject-with icmp-port-unreachable",
    "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset",
    "-A FORWARD -m addrtype ! --src-type LOCAL,MULTICAST --limit-iface-in -j ACCEPT",
    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A FORWARD -p tcp -m conntrack --ctorigdst 198.51.100.2 --ctorigdstport 80 --ctdir ORIGINAL -j ACCEPT",
    "-A FORWARD -m conntrack --ctproto 6 --ctstatus ASSURED -j ACCEPT",
    "-A FORWARD -m state --state NEW -j ACCEPT",
    "-A FORWARD -m mac --mac-source 02:42:ac:11:00:02 -j DROP",
    "-A FORWARD -m pkttype --pkt-type broadcast -j DROP",
    "-A FORWARD -m length --length 100:200 -j DROP",
    "-A FORWARD -m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 10.0.0.3-10.0.0.4 -j DROP",
    "-A FORWARD -m ttl --ttl-lt 3 -j DROP",
    "-A FORWARD -m recent --update --seconds 30 --hitcount 6 --name DEFAULT --mask 255.255.255.255 --rsource -j DROP",
    "-A FORWARD -m recent --set --name ssh --mask 255.255.255.255 --rdest",
    "-A FORWARD -m dscp --dscp 0x2e -j DROP",
    "-A FORWARD -s 10.0.0.0/8 ! -d 10.1.0.0/255.255.0.255 -i eth+ ! -o docker0 -j RETURN",
    "-A FORWARD -f -j DROP",
    "-A FORWARD -p 99 -g OWN",
    '-A FORWARD -j NFLOG --nflog-prefix "hi there" --nflog-group 5',
    "-A FORWARD -j NFQUEUE --queue-num 3 --queue-bypass",
    "-A FORWARD -m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr -j DROP",
    "-A OUTPUT -m owner ! --gid-owner 5-7 -j ACCEPT",
)
BY_IP6TABLES = (
    "-A FORWARD -m rt --rt-type 0 -j DROP",
    "-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT",
    "-A FORWARD -j REJECT --reject-with icmp6-adm-prohibited",
    "-A FORWARD -s fe80::/10 -d ff02::1/128 -p udp -m udp --dport 5353 -j ACCEPT",
    "-A FORWARD -m iprange --src-range fd00::1-fd00::9 -j ACCEPT",
    "-A FORWARD -m conntrack --ctorigdst fd00::1 -j ACCEPT",
)
OF_OTHER_TABLES = (
    "-t mangle -A POSTROUTING -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
    "-t mangle -A POSTROUTING -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill",
    "-t mangle -A PREROUTING -m rpfilter --validmark --invert -j DROP",
    "-t raw -A PREROUTING -d 192.168.0.2/32 ! -i br-ddbbaba56255 -j DROP",
    "-t raw -A PREROUTING -j CT --zone 5",
    "-t raw -A PREROUTING -j NOTRACK",
    "-t raw -A PREROUTING -j TRACE",
    "-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
    "-t nat -A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
)
BY_NFT = (
    "ct state established,related accept",
    "ct state != established drop",
    "ct state vmap { invalid : drop, established : accept, related : accept }",
    'iif "lo" accept',
    'iifname "docker0" oifname != "docker0" jump other',
    'iifname "eth*" goto other',
    'iifname { "a", "b" } accept',
    'oifname != { "a", "b" } accept',
    'iifname vmap { "lo" : accept, "eth0" : jump other }',
    'ip saddr 172.17.0.2 icmp type echo-request counter packets 0 bytes 0 drop comment "noping"',
    "ip saddr 10.0.0.0/8 ip daddr != 10.1.0.0/16 drop",
    "ip saddr { 10.0.0.0/24, 10.2.0.1-10.2.0.9 } drop",
    "ip saddr @named drop",
    "ip saddr != @named drop",
    "ip saddr 10.0.0.1-10.0.0.7 drop",
    "ip saddr . tcp dport { 10.0.0.1 . 80, 10.0.0.2 . 443 } accept",
    "ip6 daddr fd00::1 tcp dport 22 drop",
    "tcp dport { 80, 443 } accept",
    "tcp dport 1000-2000 accept",
    "tcp dport != 1000-2000 accept",
    "tcp dport > 1024 accept",
    "tcp dport 22 tcp sport 1024-65535 ct state new accept",
    "udp sport 53 udp dport 53 accept",
    "meta l4proto { tcp, udp } th dport 53 accept",
    "meta l4proto tcp reject with tcp reset",
    "meta nfproto ipv6 drop",
    "ip protocol icmp accept",
    "icmp type { echo-reply, destination-unreachable } accept",
    "icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept",
    "icmp type destination-unreachable icmp code port-unreachable accept",
    "limit rate over 10/minute burst 20 packets drop",
    "limit rate 1 mbytes/second accept",
    "reject",
    "reject with icmp host-prohibited",
    "reject with icmpx admin-prohibited",
    'log prefix "in: " level info',
    "log group 3",
    'log prefix "a" flags all counter packets 0 bytes 0 drop',
    "meta mark 0x00000001 drop",
    "meta mark & 0x000000ff == 0x00000001 drop",
    "meta mark set 0x00000005",
    "ct mark set meta mark",
    "ct status dnat accept",
    "ct direction reply accept",
    "ct original ip daddr 10.0.0.1 accept",
    "ct count over 5 drop",
    "fib daddr type { local, broadcast } accept",
    "fib saddr . iif oif missing drop",
    "meta pkttype broadcast drop",
    "meta length > 1400 drop",
    "ip ttl < 3 drop",
    "ip dscp cs1 drop",
    "ether saddr 02:42:ac:11:00:02 drop",
    "tcp flags syn drop",
    "tcp flags syn / fin,syn,rst,ack drop",
    "notrack",
    "ip saddr & 255.0.255.0 == 10.0.1.0 drop",
    "drop",
)


@pytest.fixture
def place() -> Iterator[Place]:
    with new_place() as found:
        yield found


def read(place: Place) -> dict[tuple[str, str, str], Chain]:
    chains = netns.enter(place.fd, lambda: read_chains(HOST, list_chains()))
    return {(each.key.family, each.key.table, each.key.chain): each for each in chains}


def texts(chain: Chain) -> list[str]:
    assert [each.position for each in chain.rules] == list(range(1, chain.size + 1))
    return [each.text for each in chain.rules]


def saved(place: Place, tool: str) -> dict[tuple[str, str], list[str]]:
    """Return what `iptables-save` or `ip6tables-save` prints, by table and chain."""
    found: dict[tuple[str, str], list[str]] = {}
    table = ""
    for line in place.run(f"{tool} 2>/dev/null").splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith("-A "):
            _, chain, *rest = line.split(" ", 2)
            found.setdefault((table, chain), []).append(rest[0] if rest else "")
    return found


def listed(place: Place) -> dict[tuple[str, str, str], list[str]]:
    """Return what `nft list ruleset` prints, by family, table and chain."""
    found: dict[tuple[str, str, str], list[str]] = {}
    table, chain = ("", ""), ""
    for line in place.run("nft list ruleset 2>/dev/null").splitlines():
        if begun := re.match(r"table (\S+) (\S+) \{", line):
            table = begun[1], begun[2]
        elif begun := re.match(r"\tchain (\S+) \{", line):
            chain = begun[1]
        elif line.startswith("\t}"):
            chain = ""
        elif chain and line.startswith("\t\t") and not line.startswith("\t\ttype "):
            found.setdefault((*table, chain), []).append(line.strip())
    return found


def test_rules_of_iptables_are_written_as_it_saves_them(place: Place) -> None:
    place.run("iptables-nft -N OWN; ip6tables-nft -N OWN")
    for tool, rules in (("iptables-nft", (*BY_IPTABLES, *OF_OTHER_TABLES)), ("ip6tables-nft", BY_IP6TABLES)):
        for rule in rules:
            place.run(f"{tool} {rule}")
    chains = read(place)
    for tool, family in (("iptables-nft-save", "ip"), ("ip6tables-nft-save", "ip6")):
        expected = saved(place, tool)
        assert expected
        assert {key: texts(chains[family, *key]) for key in expected} == expected
    assert texts(chains["ip", "filter", "FORWARD"]) == [
        each.removeprefix("-A FORWARD ").replace("it's", "it\\'s") for each in BY_IPTABLES if "FORWARD" in each
    ]


def test_rules_of_nft_are_written_as_it_lists_them(place: Place) -> None:
    place.run("nft 'add table inet mine; add chain inet mine in; add chain inet mine other'")
    place.run("nft 'add set inet mine named { type ipv4_addr; flags interval; }'")
    for rule in BY_NFT:
        place.run(f"nft 'add rule inet mine in {rule}'")
    found = texts(read(place)["inet", "mine", "in"])
    assert found == listed(place)["inet", "mine", "in"]
    assert found == list(BY_NFT)


def test_tables_of_one_family_and_of_bridges(place: Place) -> None:
    for family, rules in {
        "ip": ("icmp type echo-request drop", "ip protocol tcp drop", "meta l4proto tcp drop", "reject"),
        "ip6": ("icmpv6 type echo-request drop", "ip6 nexthdr tcp drop", "ip6 hoplimit 255 drop", "reject"),
        "bridge": (
            'iifname "veth1" drop',
            "ip saddr 1.2.3.4 drop",
            "ether type arp drop",
            "arp operation request drop",
        ),
    }.items():
        place.run(f"nft 'add table {family} mine; add chain {family} mine c'")
        for rule in rules:
            place.run(f"nft 'add rule {family} mine c {rule}'")
        assert texts(read(place)[family, "mine", "c"]) == list(rules) == listed(place)[family, "mine", "c"]


def test_a_table_of_that_name_that_iptables_did_not_make(place: Place) -> None:
    place.run(
        "nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 7; policy drop; }'"
    )
    place.run("nft 'add rule ip filter FORWARD tcp dport 80 counter drop'")
    chain = read(place)["ip", "filter", "FORWARD"]
    assert chain.hook == Hook("forward", 7, "drop")
    assert texts(chain) == ["tcp dport 80 counter packets 0 bytes 0 drop"]


def test_a_rule_that_nft_put_into_a_table_of_iptables(place: Place) -> None:
    place.run("iptables-nft -A FORWARD -s 10.0.0.1/32 -j DROP")
    place.run("nft 'add rule ip filter FORWARD ip saddr { 10.0.0.1, 10.0.0.2 } log drop'")
    assert texts(read(place)["ip", "filter", "FORWARD"]) == [
        "-s 10.0.0.1/32 -j DROP",
        "ip saddr { 10.0.0.1, 10.0.0.2 } log drop",
    ]


def test_a_table_of_iptables_without_a_base_chain(place: Place) -> None:
    place.run("iptables-nft -N OWN; iptables-nft -A OWN -m addrtype --dst-type LOCAL -j RETURN")
    assert texts(read(place)["ip", "filter", "OWN"]) == ["-m addrtype --dst-type LOCAL -j RETURN"]


def test_what_cannot_be_read_is_named(place: Place) -> None:
    place.run("iptables-nft -A FORWARD -m u32 --u32 0=1 -j DROP")
    place.run("nft 'add table inet mine; add chain inet mine in'")
    place.run("nft 'add rule inet mine in tcp option maxseg size set 1300'")
    place.run("nft 'add rule inet mine in quota over 10 mbytes drop'")
    chains = read(place)
    assert texts(chains["ip", "filter", "FORWARD"]) == ["[u32] -j DROP"]
    assert texts(chains["inet", "mine", "in"]) == ["[exthdr]", "[quota] drop"]


def test_a_set_of_ipset_is_named(place: Place) -> None:
    if shutil.which("ipset") is None:
        pytest.skip("needs ipset")
    place.run("ipset create other hash:ip; ipset create bridges hash:net")
    place.run("iptables-nft -A FORWARD -m set --match-set bridges dst -j ACCEPT")
    place.run("iptables-nft -A FORWARD -m set ! --match-set bridges src -j DROP")
    assert texts(read(place)["ip", "filter", "FORWARD"]) == [
        "-m set --match-set bridges dst -j ACCEPT",
        "-m set ! --match-set bridges src -j DROP",
    ]


def test_hostile_comments_are_harmless(place: Place) -> None:
    place.run("iptables-nft -A FORWARD -m comment --comment \"$(printf 'a\\033[31mb')\" -j DROP")
    place.run("nft add table inet mine; nft add chain inet mine in")
    place.run('nft add rule inet mine in drop comment "\\"$(printf \'a\\033[31mb\')\\""')
    chains = read(place)
    assert texts(chains["ip", "filter", "FORWARD"]) == ['-m comment --comment "a\\\\x1b[31mb" -j DROP']
    assert texts(chains["inet", "mine", "in"]) == ['drop comment "a\\x1b[31mb"']


def test_only_what_is_asked_for(place: Place) -> None:
    place.run("iptables-nft -P FORWARD DROP; iptables-nft -N MANY; iptables-nft -A FORWARD -j MANY")
    rules = "".join(f"-A MANY -s 10.0.{each >> 8}.{each & 255}/32 -j RETURN\\n" for each in range(1000))
    place.run(f"printf '*filter\\n{rules}COMMIT\\n' | iptables-nft-restore -n")
    wanted = [("ip", "filter", "MANY"), ("ip", "filter", "NONE"), ("ip6", "filter", "MANY"), ("ip", "none", "x")]
    (whole,) = netns.enter(place.fd, lambda: read_chains(HOST, wanted))
    one = whole.rules[699]
    assert (one.position, one.text, one.target, one.packets) == (700, "-s 10.0.2.187/32 -j RETURN", "RETURN", 0)
    assert netns.enter(place.fd, lambda: read_chains(HOST, wanted, {one.handle})) == (
        Chain(ChainKey(HOST, Backend.NFT, "ip", "filter", "MANY"), size=1000, rules=(one,)),
    )
    (base,) = netns.enter(place.fd, lambda: read_chains(HOST, [("ip", "filter", "FORWARD")], ()))
    assert (base.hook, base.size, [each.text for each in base.rules]) == (Hook("forward", 0, "drop"), 1, ["-j MANY"])


def test_counters(place: Place) -> None:
    place.run("ip link set lo up; iptables-nft -A OUTPUT -d 127.0.0.1/32 -p icmp -j DROP")
    place.run("ping -c 2 -W 1 -i 0.2 127.0.0.1 >/dev/null || true")
    chain = read(place)["ip", "filter", "OUTPUT"]
    assert chain.rules == (ChainRule(chain.rules[0].handle, 1, "-d 127.0.0.1/32 -p icmp -j DROP", "DROP", 2),)


def test_asking_changes_nothing(place: Place) -> None:
    assert read(place) == {}
    assert place.run("nft list ruleset") == ""
