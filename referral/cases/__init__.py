"""The cases of the helpline: their rules, their threads and their place in the queue."""
