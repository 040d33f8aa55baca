"""Where two services meet: the real client of one against the real application of the other."""
