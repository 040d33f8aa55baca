"""How people who do not sit before the desk hear of a visitor who waits too long."""
