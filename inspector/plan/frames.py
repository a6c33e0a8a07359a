"""Where the kernel filters look in a frame, and what they compare with: one place for all of them."""

ETHERTYPE, NETWORK = 12, 14
"""Where an Ethernet frame says what it carries, and where the packet starts (IEEE 802.3, 3.1.1)."""
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
"""IANA, IEEE 802 Numbers."""
ICMP, TCP, UDP, FRAGMENT, ICMPV6 = 1, 6, 17, 44, 58
"""IANA, Assigned Internet Protocol Numbers; 44 is IPv6's fragment header."""
V4_ERRORS, V6_ERRORS = (3, 4, 5, 11, 12), (1, 2, 3, 4)
"""Types of ICMP messages that quote a packet (RFC 792; RFC 4443, 3)."""
DISCOVERY = (135, 136)
"""Neighbour solicitation and advertisement (RFC 4861, 4.3 and 4.4)"""
V6 = 6
