"""How are the flows used? Sums of what happened in them, and of nobody in particular."""
