"""What does a visitor mean? Answered by a Rasa model in a Python 3.10 of its own."""
