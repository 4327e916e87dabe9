"""Messages with other people's source addresses, more than the relay can answer. Who has a tunnel loses nothing, a newcomer
gets in, and what is answered is less than what was sent.
"""

from arena import arena

NEEDS = {"namespaces"}
ETHERNET_OCTETS = 14
# Octets that the relay sends for one that it is sent, IP headers included.
FACTOR_MAX = 1.0
NEWCOMER_PORT = 40_000

# (message, from where, a second)
FLOODS = {
    "requests": ("request", "any", 150_000),
    "discoveries": ("discovery", "any", 150_000),
    # The newcomer's own address. He has been here before, from the same port, as `amt gateway` comes after a restart. One
    # who has not: forged_newcomer.py.
    "requests_of_victim": ("request", "newcomer", 20_000),
    "discoveries_of_victim": ("discovery", "newcomer", 20_000),
    # Those who watch: a Teardown names them, whoever sends it
    "teardowns": ("teardown", "any", 100_000),
    "teardowns_of_watchers": ("teardown", "watchers", 100_000),
    "updates": ("update", "any", 100_000),
    "updates_of_watchers": ("update", "watchers", 100_000),
    "oversize": ("oversize", "any", 50_000),
    # Addresses that nobody has
    "odd": ("mixed", "odd", 50_000),
}


def run(case):
    name, family = case.arguments[0], int(case.arguments[1])
    what, origin, rate = FLOODS[name]
    with arena(case, newcomer_port=NEWCOMER_PORT if origin == "newcomer" else 0) as place:
        line = place.line
        odd = {4: [line.relay_address(4, 1), line.relay_address(4, 0), "127.0.0.1", "224.0.0.5", "255.255.255.255", "0.0.0.0",
                   "10.3.0.255", "240.0.0.1", "169.254.1.1"],
               6: [line.relay_address(6, 1), line.relay_address(6, 0), "::1", "ff02::1", "::", "fe80::5"]}
        origins = {"any": "any", "newcomer": line.gateway_address(family, 2), "watchers": line.gateway_address(family, 0),
                   "odd": ",".join(odd[family])}
        options = {"what": what, "from": origins[origin], "per_second": rate, "victim": line.gateway_address(family, 0)}
        if origin == "odd":
            options["port"] = 0
        before = place.link_statistics(line.relay, "r2")
        place.withstand(f"{name}_v{family}", lambda: place.attack("flood", family=family, **options))
        after = place.link_statistics(line.relay, "r2")

        def octets(direction):
            packets = after[direction]["packets"] - before[direction]["packets"]
            return after[direction]["bytes"] - before[direction]["bytes"] - ETHERNET_OCTETS * packets
        if origin == "any":
            factor = octets("tx") / octets("rx")
            case.figure(f"{name}_v{family}: octets answered for one sent", f"{factor:.3f}")
            place.require(factor < FACTOR_MAX, f"answers of {factor:.2f} times the flood")
        place.recover(name)
        place.stop(name)
