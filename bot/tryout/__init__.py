"""Lets content editors try a conversation that touches nothing real: no store, no channel, no helpline."""
