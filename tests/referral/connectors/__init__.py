"""Every connector against a local server that is as strict as the real one, and can be told to fail."""
