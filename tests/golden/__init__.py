"""Conversations that a person has read and found right."""
