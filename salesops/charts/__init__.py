"""Pictures and the parts of a page: one function draws one picture of one frame."""
