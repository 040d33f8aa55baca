"""Other bots that refer their visitors."""
