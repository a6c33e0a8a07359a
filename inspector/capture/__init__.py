"""Listen and send: taps on interfaces, probes from inside a stack, one loop over all of them."""
