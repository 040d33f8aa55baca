"""Other bots that refer their visitors to this helpline, each with a token of its own."""
