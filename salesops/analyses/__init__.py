"""One module per analysis, each a pure function from a Book to a Result."""
