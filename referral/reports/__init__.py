"""Which numbers leave the desk: counts of cases, small ones hidden, as a page and as files."""
