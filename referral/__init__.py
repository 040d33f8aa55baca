"""The helpline desk: keeps the queue of conversations that need a person, and the talk with that person."""
