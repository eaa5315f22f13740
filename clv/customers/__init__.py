"""What a business asks of its customers: pure functions on frames."""
