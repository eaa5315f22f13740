"""The models of purchases and of spend, each a fitted value in a file of its own."""
