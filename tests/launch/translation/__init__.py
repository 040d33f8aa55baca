"""Texts that went to a translator and came back."""
