"""The seasonal index of a shop, and models that follow it."""
