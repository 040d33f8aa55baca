"""Carries messages between visitors and the flows, and does what the flows decide."""
