"""What operators need not type each time: replies in every language, several steps in one press."""
