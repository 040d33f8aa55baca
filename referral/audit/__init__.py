"""Who saw or did what to which case, and when: a log that is only ever added to, and that shows tampering."""
