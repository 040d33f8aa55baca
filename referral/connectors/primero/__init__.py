"""Cases become records in Primero v2, as a mapping file for each country says."""
