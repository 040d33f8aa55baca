"""The messengers that visitors write on."""
