"""Backtests on a shop's own past, and the choice of the forecast that they lead to."""
