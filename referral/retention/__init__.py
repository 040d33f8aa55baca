"""How long is what kept, and what goes when its time is over?"""
