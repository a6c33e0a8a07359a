"""The vocabulary: frozen values that every stage speaks, with no I/O behind them."""
