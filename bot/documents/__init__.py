"""How does a document become a file that can be printed? Sets papers in type, with fonts of our own."""
