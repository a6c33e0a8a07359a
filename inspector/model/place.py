"""Write an address and a port as one, the way URLs do (RFC 3986, 3.2.2)."""


def place(address: str, port: int | None = None) -> str:
    """Return `172.17.0.2:80` or `[fd00::2]:80`; without a port the address alone."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def wanted(destination: str, port: int | None, protocol: str) -> str:
    """Return a destination as a user would write it: `tomcat02`, `tomcat02:80`, `[fd00::2]:53/udp`."""
    return place(destination, port) + ("/udp" if protocol == "udp" else "")
