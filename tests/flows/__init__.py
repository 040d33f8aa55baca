"""Shows that the flows decide what they promise to decide."""
