"""Which files may be given to a child, and how are they made harmless? No database, no clock."""

from __future__ import annotations

#: What a file is given as: PDF stays PDF, pictures become PNG.
FORMS = ("pdf", "png")
