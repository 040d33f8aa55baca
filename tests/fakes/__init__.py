"""Real local servers that behave as the services we talk to, and can be told to fail."""
