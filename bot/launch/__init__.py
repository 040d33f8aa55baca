"""Takes a fresh clone to a running product and looks after it: the Python half of ``./porchlight``."""
