"""The outside world: shops, the order store, configuration, the terminal."""
