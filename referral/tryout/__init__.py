"""Lets content editors talk with the bot as a visitor would, at the console; nothing real is touched."""
