"""How the tables of the referral service came to be, step by step."""
