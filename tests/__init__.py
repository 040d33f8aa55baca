"""Everything that shows that Porchlight does what it promises."""
