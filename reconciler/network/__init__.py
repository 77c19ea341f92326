"""Everything that onggi fetches or asks over the network goes through here, so that no server can do more than answer.

Each question is an `Exchange`: it has a deadline and a least rate, and its socket is closed when it is given up. Names
are resolved once, each address is checked (`Networks`), and what was checked is what is connected to.
"""
