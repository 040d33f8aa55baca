"""Children who do not exist come to the desk here, so that an operator can learn before a real one comes."""
