"""Decides what to say and do next in a conversation, and does nothing itself."""
